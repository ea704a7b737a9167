// World's client: what a browser would do with loggia.v1.
#include "world.hpp"

namespace loggia::realtime::test {

void Client::send(SharedBytes framed) {
  if (deaf) {
    heard += framed->size();
    return;
  }
  queued_ += framed->size();
  waiting_.push_back(std::move(framed));
  if (!stalled) take();
}

void Client::take(std::size_t bytes) {
  while (!waiting_.empty() && waiting_.front()->size() <= bytes) {
    const auto piece = std::move(waiting_.front());
    waiting_.pop_front();
    bytes -= piece->size();
    queued_ -= piece->size();
    pieces.push_back(piece);
    read(*piece);
  }
  if (waiting_.empty() && stalled)
    world_.later([this] {
      if (events_.drained) events_.drained();
    });
}

void Client::read(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    REQUIRE(static_cast<unsigned char>(bytes[at]) == 0x81);
    std::uint64_t size = static_cast<unsigned char>(bytes[at + 1]);
    int more = size == 126 ? 2 : size == 127 ? 8 : 0;
    at += 2;
    if (more > 0) size = 0;
    for (; more > 0; --more) size = size << 8 | static_cast<unsigned char>(bytes[at++]);
    frames.push_back(json::parse(bytes.substr(at, size)));
    at += size;
  }
}

void Client::close(int with, std::string_view why) {
  if (code != 0) return;
  code = with;
  reason = why;
  world_.later([this] {
    if (events_.closed) events_.closed(code);
  });
}

void Client::say(const std::string& text) {
  events_.message(text);
  world_.run();
}

json Client::ask(const std::string& op, json fields) {
  fields["id"] = ++last_id_;
  fields["op"] = op;
  say(fields.dump());
  return answer(last_id_);
}

json Client::hello(const UserId& user, json resume) {
  json fields = {{"token", user.text()}};
  if (!resume.is_null()) fields["resume"] = std::move(resume);
  return ask("hello", std::move(fields));
}

void Client::cut() {
  if (code == 0) code = 1006;
  events_.closed(1006);
  world_.run();
}

json Client::answer(std::int64_t id) const {
  json found;
  for (const auto& frame : frames)
    if (frame.contains("re") && frame["re"] == id) {
      REQUIRE_MESSAGE(found.is_null(), "a request has one answer");
      found = frame;
    }
  return found;
}

std::vector<json> Client::pushed(const std::string& ev) const {
  std::vector<json> out;
  for (const auto& frame : frames)
    if (frame.contains("ev") && frame["ev"] == ev) out.push_back(frame);
  return out;
}

std::vector<std::int64_t> Client::seqs(const RoomId& room) const {
  std::vector<std::int64_t> out;
  for (const auto& frame : frames)
    if (frame.contains("ev") && frame.contains("seq") && frame["room"] == room.text()) out.push_back(frame["seq"].get<std::int64_t>());
  return out;
}

std::vector<std::string> Client::evs() const {
  std::vector<std::string> out;
  for (const auto& frame : frames)
    if (frame.contains("ev")) out.push_back(frame["ev"].get<std::string>());
  return out;
}

}  // namespace loggia::realtime::test
