// Bytes of requests and replies, on all three ways: whole or an error, at the pace of who reads.
#include "contract/houses/library.hpp"
#include <poll.h>
#include "contract/exercise.hpp"
#include "loggia/kernel/wire.hpp"

using namespace loggia;
using namespace loggia::contract;
using namespace loggia::contract::library;

namespace {

static_assert(sound_reply<Book>() && sound_reply<Outcome<Stored>>() && sound_reply<Nothing>());
static_assert(!sound_reply<Outcome<Book>>());  // they would be lost

constexpr std::int64_t held_max = 16 << 20;  // by the sockets of both sides; what a process holds is a piece

/// Pieces of sizes from 1 byte to the most; counts what was asked for.
class Pieces final : public ByteSource {
 public:
  Pieces(std::int64_t size, std::int64_t* given, bool fails = false) : left_{size}, given_{given}, fails_{fails} {}
  Async<std::string> read(Moment) override {
    if (left_ == 0 && fails_) co_return Error(Errc::unavailable, "the sender went away");
    const auto size =
        std::min<std::int64_t>(left_, std::max<std::int64_t>(1, turn_ % 3 == 0 ? ByteStream::piece_max : turn_ * 977 % ByteStream::piece_max));
    ++turn_;
    left_ -= size;
    *given_ += size;
    std::string out(static_cast<std::size_t>(size), static_cast<char>('a' + turn_ % 26));
    co_return out;
  }

 private:
  std::int64_t left_, turn_ = 0;
  std::int64_t* given_;
  bool fails_;
};
ByteStream pieces(std::int64_t size, std::int64_t* given, bool fails = false) { return ByteStream(std::make_shared<Pieces>(size, given, fails)); }

Async<std::string> next(ByteStream bytes) { co_return co_await bytes.read(Moment::max()); }
Async<std::string> all(ByteStream bytes) {
  std::string out;
  for (;;) {
    auto piece = co_await bytes.read(Moment::max());
    if (!piece) co_return piece.error();
    CHECK(piece->size() <= ByteStream::piece_max);
    if (piece->empty()) co_return out;
    out += *piece;
  }
}

struct Asking {
  explicit Asking(Exercise& way) : exercise{way}, library{way} {}
  StoreBook book(std::string name, ByteStream bytes) const {
    StoreBook out;
    out.name = std::move(name);
    out.edition = "2nd; ü&=";
    out.bytes = std::move(bytes);
    return out;
  }
  ReadBook reading(std::string name) const {
    ReadBook out;
    out.name = std::move(name);
    return out;
  }
  Result<std::string> whole(const ByteStream& bytes) { return test::wait(exercise.way().shards(), all(bytes)); }
  Result<std::string> piece(const ByteStream& bytes) { return test::wait(exercise.way().shards(), next(bytes)); }
  /// Not in the transcript: how often it takes is no matter of the contract.
  Shelf shelf() {
    const auto port = exercise.way().ports().get<Library>();
    return test::wait(exercise.way().shards(), static_cast<Slot<GetShelf>&>(*port).on(context, GetShelf())).value();
  }
  template <class F> bool soon(F holds) {
    for (int tries = 0; tries < 5000; ++tries) {
      if (holds(shelf())) return true;
      pollfd never{-1, 0, 0};
      ::poll(&never, 1, 1);
    }
    return false;
  }

  Exercise& exercise;
  Asker<Library> library;
  const Context context = exercise.as(1);
};

void what_is_sent_arrives(Asking& ask) {
  for (const std::string name : {"a book", "a/b", "..", "ü %2F?&#"}) {
    const auto stored = ask.library.good(ask.context, ask.book(name, bytes_of("of " + name)));
    CHECK(stored.size == static_cast<std::int64_t>(name.size() + 3));
    const auto book = ask.library.good(ask.context, ask.reading(name));
    CHECK(book.edition == "2nd; ü&=");
    CHECK(ask.whole(book.bytes).value() == "of " + name);
  }
  for (const auto& nothing : {ByteStream(), bytes_of(std::string())}) {
    CHECK(ask.library.good(ask.context, ask.book("empty", nothing)).size == 0);
    CHECK(ask.whole(ask.library.good(ask.context, ask.reading("empty")).bytes).value().empty());
  }
  std::int64_t given = 0;
  const auto large = ask.library.good(ask.context, ask.book("large", pieces((3 << 20) + 7, &given)));
  CHECK(large.size == (3 << 20) + 7);
  CHECK(given == large.size);
  const auto read = ask.library.good(ask.context, ask.reading("large"));
  const auto bytes = ask.whole(read.bytes).value();
  CHECK(read.size == large.size);
  CHECK(sum_of(bytes) == large.sum);
  CHECK(ask.piece(read.bytes).value().empty());  // the end stays

  CopyBook copy;
  copy.name = "copy";
  copy.bytes = bytes_of(bytes);
  CHECK(ask.whole(ask.library.good(ask.context, std::move(copy)).bytes).value() == bytes);
}

BindBooks binding(std::string name, std::vector<std::string> books) {
  BindBooks out;
  out.name = std::move(name);
  out.books = std::move(books);
  return out;
}

void what_is_said_without_bytes_arrives_too(Asking& ask) {
  const auto bound = ask.library.good(ask.context, binding("both; ü", {"a/b", "a book"}));
  CHECK(bound.name == "both; ü");
  CHECK(ask.whole(bound.bytes).value() == "of a/bof a book");
  ask.library.bad(Errc::not_found, ask.context, binding("none", {"nowhere"}));
}

void what_is_refused_costs_little(Asking& ask) {
  ask.library.bad(Errc::not_found, ask.context, ask.reading("nowhere"));
  for (const auto& [name, code] : {std::pair("refused", Errc::forbidden), std::pair("half", Errc::too_large)}) {
    std::int64_t given = 0;
    ask.library.bad(code, ask.context, ask.book(name, pieces(huge, &given)));
    CHECK(given < held_max);
  }
  CopyBook copy;
  copy.name = "refused";
  copy.bytes = bytes_of("x");
  ask.library.bad(Errc::forbidden, ask.context, std::move(copy));
}

void what_is_cut_is_an_error_on_both_sides(Asking& ask) {
  const auto before = ask.shelf();
  std::int64_t given = 0;
  ask.library.bad(Errc::unavailable, ask.context, ask.book("cut", pieces(200000, &given, true)));
  CHECK(given == 200000);
  CHECK(ask.soon([&](const Shelf& now) { return now.cut == before.cut + 1; }));
  ask.library.bad(Errc::not_found, ask.context, ask.reading("cut"));
  CHECK(ask.shelf().books == before.books);

  const auto broken = ask.library.good(ask.context, ask.reading("broken"));
  std::size_t size = 0;
  for (;;) {
    const auto piece = ask.piece(broken.bytes);
    if (!piece) break;
    REQUIRE_FALSE(piece->empty());  // never an end
    size += piece->size();
  }
  CHECK(size <= 2 * ByteStream::piece_max);
  CHECK(ask.piece(broken.bytes).error().code == Errc::unavailable);
}

void who_does_not_read_lets_the_other_side_wait(Asking& ask) {
  const auto before = ask.shelf();
  {
    const auto book = ask.library.good(ask.context, ask.reading("huge"));
    CHECK(ask.piece(book.bytes).value().size() > 0);
    CHECK(ask.shelf().given - before.given < held_max);
  }
  CHECK(ask.soon([&](const Shelf& now) { return now.dropped == before.dropped + 1; }));
  CHECK(ask.shelf().given - before.given < held_max);
  const auto book = ask.library.good(ask.context, ask.reading("huge"));
  std::int64_t size = 0;
  for (auto piece = ask.piece(book.bytes); piece && !piece->empty(); piece = ask.piece(book.bytes)) size += static_cast<std::int64_t>(piece->size());
  CHECK(size == huge);
}

void cases(Exercise& exercise) {
  Asking ask(exercise);
  what_is_sent_arrives(ask);
  what_is_said_without_bytes_arrives_too(ask);
  what_is_refused_costs_little(ask);
  what_is_cut_is_an_error_on_both_sides(ask);
  who_does_not_read_lets_the_other_side_wait(ask);
  exercise.note(GetShelf::route, "counts");  // bytes on their way differ; they were checked above
  ask.library.late(ask.context, ask.book("late", bytes_of("x")));
  ask.library.late(ask.context, ask.reading("copy"));
  ask.library.late(ask.context, CopyBook());
  ask.library.late(ask.context, binding("late", {"copy"}));
  ask.library.late(ask.context, GetShelf());
}

const Contract of_library("library", routes_of<Library>(), &cases);

}  // namespace

TEST_CASE("bytes of requests and replies arrive alike here, serialised and over mTLS") { run_three_ways(of_library); }
