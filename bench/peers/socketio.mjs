// Rooms with Socket.IO, WebSocket alone: "join" a room, "msg" to all of it; both are acknowledged.   node socketio.mjs PORT
import {createServer} from 'node:http'
import {Server} from 'socket.io'

const http = createServer()
const io = new Server(http, {transports: ['websocket'], serveClient: false})
io.on('connection', socket => {
  socket.on('join', (room, done) => {
    socket.data.room = room
    socket.join(room)
    done()
  })
  socket.on('msg', (text, done) => {
    io.to(socket.data.room).emit('msg', text)
    done()
  })
})
http.listen(Number(process.argv[2]), '127.0.0.1', 4096)
