// The decoder of request structs: what it takes is the same when it is encoded and decoded again, and no exception leaves it.
#include "fuzz/target.hpp"
#include "loggia/auth/contract.hpp"
#include "loggia/chat/messages.hpp"
#include "loggia/chat/rooms.hpp"
#include "loggia/kernel/json.hpp"
#include "loggia/notification/contract.hpp"
#include "loggia/user/contract.hpp"

namespace loggia::fuzz::decode_target {

struct Leaf {
  static constexpr Rule rules[] = {length("text", 0, 5), printable("name", 1, 4), range("whole", -3, 300), one_of("word", "a|b|c")};
  std::string text, name, word;
  std::int64_t whole = 0;
};
BOOST_DESCRIBE_STRUCT(Leaf, (), (text, name, word, whole))
/// Every kind of field that there is.
struct Everything {
  static constexpr Rule rules[] = {items("list", 0, 3), items("map", 0, 3), range("map", 0, 9)};
  bool flag = false;
  int number = 0;
  unsigned count = 0;
  long big = 0;
  unsigned long bigger = 0;
  double real = 0;
  Time time{};
  Uuid id;
  RawJson raw;
  std::optional<Leaf> leaf;
  std::vector<Leaf> list;
  std::map<std::string, std::int64_t> map;
  std::optional<std::vector<std::map<std::string, std::vector<Leaf>>>> deep;
};
BOOST_DESCRIBE_STRUCT(Everything, (), (flag, number, count, big, bigger, real, time, id, raw, leaf, list, map, deep))

namespace {

template <class T> void check(std::string_view input) {
  const auto strict = decode_text<T>(input, Manner::strict);
  const auto lenient = decode_text<T>(input, Manner::lenient);
  require(!strict || lenient, "who is strict takes no more than who is lenient");
  if (!lenient) {
    require(!lenient.error().detail.empty() || !lenient.error().fields.empty(), "a refusal says why");
    return;
  }
  const auto text = encode(*lenient);
  const auto again = decode_text<T>(text, Manner::strict);
  require(again && encode(*again) == text, "what was decoded and encoded decodes equal");
}

using Check = void (*)(std::string_view);
constexpr Check checks[] = {check<Everything>,        check<auth::Register>,
                            check<auth::Login>,       check<auth::Refresh>,
                            check<chat::CreateRoom>,  check<chat::UpdateRoom>,
                            check<chat::PutMember>,   check<chat::PostMessage>,
                            check<chat::EditMessage>, check<notification::Settings>,
                            check<user::UpdateMe>,    check<chat::MarkRead>,
                            check<chat::OpenDirect>,  check<notification::MarkNotificationsRead>};

}  // namespace
}  // namespace loggia::fuzz::decode_target

LOGGIA_FUZZ(decode) {
  using namespace loggia::fuzz;
  const auto which = choice(input, std::size(decode_target::checks));
  decode_target::checks[which](input);
}
