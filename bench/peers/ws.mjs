// Rooms with the npm package `ws`: "J<room>" joins and is answered "OK", "M<text>" is sent to all of the room.   node ws.mjs PORT
import {WebSocketServer} from 'ws'

const rooms = new Map()
const server = new WebSocketServer({host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false, backlog: 4096})
server.on('connection', socket => {
  let room
  socket.on('message', data => {
    const text = data.toString()
    if (text[0] === 'J') {
      const name = text.slice(1)
      room = rooms.get(name) ?? rooms.set(name, new Set()).get(name)
      room.add(socket)
      socket.send('OK')
    } else if (room) {
      const said = data.subarray(1)
      for (const member of room) member.send(said, {binary: false})
    }
  })
  socket.on('close', () => room?.delete(socket))
  socket.on('error', () => {})
})
