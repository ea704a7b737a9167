#pragma once
// Reads the events that the judge is told, each once and in one pass: as strict as a parser of JSON (RFC 8259), without a tree.
#include <cstdint>
#include <string>
#include <string_view>

namespace loggia::simulation {

/// Of one text, from its beginning to its end. Throws where something else stands there.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_{text} {}
  /// Calls `member(name)` for each member of the object that comes next, to take the value of it.
  template <class F> void object(F member) {
    expect('{');
    if (next_is('}')) return;
    do {
      const auto name = string();
      expect(':');
      member(std::string_view(name));
    } while (next_is(','));
    expect('}');
  }
  std::string string();
  std::int64_t integer();
  bool flag();
  /// Takes a value of any kind.
  void skip();
  /// Nothing may follow.
  void end();

 private:
  [[noreturn]] void wrong(const char* due) const;
  void blanks();
  void expect(char c);
  bool next_is(char c);
  std::string_view word();

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace loggia::simulation
