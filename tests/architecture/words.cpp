// What may not be written at all, or in one place only.
#include <cctype>
#include <regex>
#include "architecture/rules.hpp"

namespace loggia::architecture {
namespace {

/// An exception to a ban is a path in this table, never a comment in the code.
struct Ban {
  const char *pattern, *what, *remedy, *except;
  bool whole;  // looks into texts and comments too
};
const Ban bans[] = {
    {R"(#\s*include\s+["<][^">\n]*\.\./)", "an include goes up a folder", "write a path from an include root", "^$", true},
    {R"(#\s*include\s+<boost/beast)", "Beast is included", "use loggia/kernel/http.hpp or rpc.hpp: Beast is not safe without a guard in front of it",
     R"(^src/kernel/(http/|rpc/connection\.cpp$|asio\.cpp$))", true},
    {R"(#\s*include\s+<openssl/)", "OpenSSL is included", "use loggia/kernel/crypto.hpp", R"(^src/kernel/(crypto|http|lifecycle)/)", true},
    {R"(#\s*include\s+<(SQLiteCpp|sqlite3))", "SQLite is included", "use loggia/kernel/storage.hpp", R"(^src/kernel/(storage|lifecycle)/)", true},
    {R"(#\s*include\s+<curl/)", "libcurl is included", "use loggia/kernel/mail.hpp or discovery.hpp", R"(^src/kernel/(mail|discovery/etcd)/)", true},
    {R"(#\s*include\s+[<"](libpq|pg_config))", "libpq is included", "use loggia/kernel/storage.hpp", R"(^src/kernel/storage/postgres/)", true},
    {R"(#\s*include\s+<(librdkafka|pqxx|argon2|toml\+\+))", "a library of the kernel is included", "use the kernel's port for it", R"(^src/kernel/)",
     true},
    {R"(\b(system|steady|high_resolution)_clock\s*::\s*now\b|\bclock_gettime\s*\(|\bgettimeofday\s*\(|\bstd::time\s*\()", "a clock is read",
     "use Clock::now() or Clock::moment(), handed in", R"(^src/kernel/time/)", false},
    {R"(\bstd::(random_device|mt19937)|\brand\s*\()", "chance comes from elsewhere", "use Random, handed in", R"(^src/kernel/time/)", false},
    {R"(\bstd::(cout|cerr|clog)\b|\b(std::)?f?printf\s*\()", "something is printed", "write log::info(\"event\", fields...)",
     R"(^src/(main\.cpp$|cli/|kernel/telemetry/))", false},
    {R"(\bdetached\b)", "a task is detached, so its exception is lost and shutdown does not wait for it", "use Tasks::spawn", "^$", false},
    {R"([\w>&*]\s+\w+\s*=\s*[\w:<>]*\{[^{};]*\}\s*[,)])", "a parameter defaults to braces, which g++ 12 breaks under co_await",
     "write an overload, or a default with a constructor: T()", "^$", false},
    {R"(\b(FIXME|TODO|XXX)\b)", "something is left undone", "do it, or open an issue", "^$", true},
};

Finding found_at(const Source& source, std::size_t at, std::string what, std::string remedy) {
  Finding finding;
  finding.path = source.path;
  finding.line = line_of(source.text, at);
  finding.what = std::move(what);
  finding.remedy = std::move(remedy);
  return finding;
}

bool space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Where the statement that awaits at `at` begins; npos where it holds a brace before the await.
std::size_t begin_of(const std::string& code, std::size_t at) {
  for (auto here = at; here > 0; --here) {
    const char c = code[here - 1];
    if (c == ';') return here;
    // A block opens with space behind it, an initializer does not.
    if (c == '{') return here < code.size() && space(code[here]) ? here : code.npos;
    if (c == '}') {
      auto next = here;
      while (next < code.size() && space(code[next])) ++next;
      // A block ends before a new statement; an initializer or a lambda ends inside of one.
      const bool block =
          next < code.size() && (in_word(code[next]) || code[next] == '(' || code[next] == '*' || code[next] == '~' || code[next] == '#');
      return block ? here : code.npos;
    }
  }
  return 0;
}

/// Whether the rest of the statement, from the await on, holds a brace of its own.
bool brace_behind(const std::string& code, std::size_t at) {
  int depth = 0;
  for (; at < code.size(); ++at) {
    const char c = code[at];
    if (c == '(' || c == '[') ++depth;
    else if (c == ')' || c == ']') --depth;
    else if (c == ';' && depth <= 0) return false;
    else if (c == '}') return false;
    else if (c == '{') return !(depth < 0 && at + 1 < code.size() && space(code[at + 1]));  // not the body of `if (co_await …) {`
  }
  return false;
}

}  // namespace

Findings banned_words(const Tree& tree) {
  Findings out;
  for (const auto& ban : bans) {
    const std::regex pattern(ban.pattern), except(ban.except);
    for (const auto& source : tree.sources) {
      if (std::regex_search(source.path, except)) continue;
      const auto& text = ban.whole ? source.text : source.code;
      for (std::sregex_iterator found(text.begin(), text.end(), pattern), end; found != end; ++found)
        out.push_back(found_at(source, static_cast<std::size_t>(found->position()), ban.what, ban.remedy));
    }
  }
  return out;
}

Findings braced_awaits(const Tree& tree) {
  Findings out;
  static const std::regex await(R"(\bco_await\b)");
  for (const auto& source : tree.sources)
    for (std::sregex_iterator found(source.code.begin(), source.code.end(), await), end; found != end; ++found) {
      const auto at = static_cast<std::size_t>(found->position());
      if (begin_of(source.code, at) == source.code.npos || brace_behind(source.code, at))
        out.push_back(found_at(source, at, "a statement awaits and holds a brace, whose temporaries g++ 12 copies byte by byte",
                               "name the value first, then std::move it"));
    }
  return out;
}

Findings long_files(const Tree& tree) {
  Findings out;
  for (const auto& source : tree.sources) {
    const auto lines = line_of(source.text, source.text.size()) - (source.text.ends_with('\n') ? 1 : 0);
    if (lines > 400)
      out.push_back(found_at(source, source.text.size() - 1, "the file has " + std::to_string(lines) + " lines, and 400 fit in a head",
                             "split it by what its parts are about"));
  }
  return out;
}

}  // namespace loggia::architecture
