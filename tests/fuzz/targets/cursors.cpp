// The opaque positions of lists: what is taken for one is one that we write, and says the same when written again.
#include "chat/pages.hpp"
#include "fuzz/target.hpp"
#include "loggia/ids.hpp"

LOGGIA_FUZZ(cursors) {
  using namespace loggia;
  using namespace loggia::fuzz;
  const std::string text(choice(input, 2) == 0 ? std::string(input) : crypto::base64url(input));
  const auto number = chat::number_in(text);
  if (number) {
    require(*number >= 0, "a position is not negative");
    require(chat::number_in(chat::cursor_of(*number)).value() == *number, "a number written again is the same");
  }
  const auto id = chat::id_in<RoomId>(text);
  if (id) require(chat::id_in<RoomId>(chat::cursor_of(*id)).value() == *id, "an id written again is the same");
  require(!(number && id), "a cursor is of one kind");
}
