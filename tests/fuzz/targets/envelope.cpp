// The envelope of events: what is taken has what an event needs, and an event that was written is read as it was.
#include "bus/event.hpp"
#include "fuzz/target.hpp"
#include "http/utf8.hpp"
#include "loggia/chat/events.hpp"
#include "loggia/kernel/json.hpp"

LOGGIA_FUZZ(envelope) {
  using namespace loggia;
  using namespace loggia::fuzz;
  if (choice(input, 2) == 0) {
    const auto event = bus::from_cloud_event(input);
    if (!event) return;
    const auto again = bus::from_cloud_event(to_cloud_event(**event));
    // A type is a literal of ours and goes into `dataschema` as it is.
    const bool plain = (*event)->type.find_first_not_of("abcdefghijklmnopqrstuvwxyz._") == std::string::npos;
    if (!plain) return;
    require(again && (*again)->id == (*event)->id && (*again)->time == (*event)->time, "an event read and written is read again");
    require((*again)->key == (*event)->key && (*again)->source == (*event)->source && (*again)->type == (*event)->type, "with the same head");
    require((*again)->traceparent == (*event)->traceparent, "with the same trace");
    // A consumer decodes `data` leniently.
    if (const auto frame = decode_text<chat::TimelineFrame>(*(*event)->data, Manner::lenient))
      require(decode_text<chat::TimelineFrame>(encode(*frame), Manner::strict).has_value(), "a frame read and written is read again");
    return;
  }
  Event event;
  event.id = Uuid::parse("01890000-0000-7000-8000-000000000001").value();
  event.time = Time(milliseconds(1767225600123));
  event.type = "message.created";
  event.key = part(input, '\n');
  event.source = part(input, '\n');
  event.traceparent = part(input, '\n');
  event.data = std::make_shared<const std::string>(input.empty() ? "null" : std::string(input));
  const auto read = bus::from_cloud_event(to_cloud_event(event));
  http::Utf8Checker checker;
  const bool text = checker.take(event.key + '\n' + event.source + '\n' + event.traceparent + '\n') && checker.complete();
  require(read.has_value(), "an event that was written is read");
  require(*(*read)->data == *event.data, "its data is what it was");
  if (!text) return;
  require((*read)->key == event.key && (*read)->source == event.source && (*read)->traceparent == event.traceparent, "its head is what it was");
  require((*read)->id == event.id && (*read)->time == event.time && (*read)->type == event.type, "its id, time and type are what they were");
}
