// A little contract, defined here, on every way that a contract can travel: decoded, described, and asked through its serialised form.
#include "loggia/kernel/wire.hpp"
#include <doctest/doctest.h>
#include <map>
#include "kernel/fixtures.hpp"
#include "loggia/kernel/json_value.hpp"
#include "loggia/kernel/openapi.hpp"
#include "loggia/kernel/refused.hpp"
#include "support/print.hpp"

using namespace loggia;

namespace {

using BookId = Id<struct BookTag>;

struct Author {
  std::string name;
  std::optional<std::string> born;
};
BOOST_DESCRIBE_STRUCT(Author, (), (name, born))

struct Book {
  BookId id;
  std::string title;
  std::vector<Author> authors;
  std::map<std::string, std::int64_t> stock;
  Time added{};
  bool default_ = false;
  std::optional<std::int64_t> year;
  RawJson extra = RawJson("{}");
};
BOOST_DESCRIBE_STRUCT(Book, (), (id, title, authors, stock, added, default_, year, extra))

struct AddBook {
  using Reply = Outcome<Book>;
  static constexpr std::string_view route = "POST /shelves/{shelf}/books";
  static constexpr std::string_view defaults[] = {"tags"};
  static constexpr Rule rules[] = {length("title", 1, 10), items("tags", 0, 2),          length("tags", 2, 5),
                                   range("copies", 1, 9),  one_of("kind", "novel|poem"), printable("isbn", 3, 13)};
  static constexpr bool idempotent = true;
  std::string shelf;
  std::string title;
  std::int32_t copies = 0;
  std::optional<std::string> kind;
  std::optional<std::string> isbn;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(AddBook, (), (shelf, title, copies, kind, isbn, tags))

struct FindBooks {
  using Reply = std::vector<Book>;
  static constexpr std::string_view route = "GET /shelves/{shelf}/books";
  static constexpr Access access = Access::open;
  static constexpr Rule rules[] = {range("limit", 1, 200)};
  std::string shelf;
  std::optional<std::string> query;
  std::optional<std::int64_t> limit;
  std::optional<bool> lent;
};
BOOST_DESCRIBE_STRUCT(FindBooks, (), (shelf, query, limit, lent))

struct DropBook {
  using Reply = Nothing;
  static constexpr std::string_view route = "DELETE /books/{id}";
  BookId id;
};
BOOST_DESCRIBE_STRUCT(DropBook, (), (id))

using Books = Port<AddBook, FindBooks, DropBook>;

BookId book_id(std::uint8_t number) {
  Bytes16 bytes{};
  bytes[15] = number;
  return BookId(bytes);
}

/// Answers with what it was asked, so that a test sees what arrived.
class Library final : public Books {
 public:
  Async<Outcome<Book>> on(Context context, AddBook request) override {
    caller = context.caller().username;
    if (request.title == "twice") co_return Error(Errc::conflict, "it is there already");
    Outcome<Book> out;
    out.value.id = book_id(1);
    out.value.title = request.title + "@" + request.shelf;
    Author author;
    author.name = request.kind.value_or("nobody") + "/" + std::to_string(request.copies);
    out.value.authors.push_back(author);
    for (const auto& tag : request.tags) out.value.stock[tag] = request.copies;
    out.created = request.title != "old";
    co_return out;
  }
  Async<std::vector<Book>> on(Context, FindBooks request) override {
    Book book;
    book.title = request.shelf + "|" + request.query.value_or("-") + "|" + std::to_string(request.limit.value_or(-1)) + "|" +
                 (request.lent ? *request.lent ? "yes" : "no" : "-");
    co_return std::vector<Book>(2, book);
  }
  Async<Nothing> on(Context, DropBook request) override {
    dropped = request.id;
    co_return Nothing();
  }
  BookId dropped;
  std::string caller;
};

/// Every call in its serialised form and back, without a socket.
class Loopback final : public Router, public Transport {
 public:
  void on(RouteInfo info, RouteHandler handler) override {
    const std::string route(info.route);
    infos[route] = info;
    if (!handlers_.emplace(route, std::move(handler)).second) throw std::logic_error("twice: " + route);
  }
  Async<Answer> send(Context context, Call call) override {
    call.strict = strict;
    last = call;
    auto handler = handlers_.at(call.route);
    auto answer = co_await handler(std::move(context), std::move(call));
    if (answer) last_answer = *answer;
    co_return answer;
  }
  bool strict = true;
  Call last;
  Answer last_answer;
  std::map<std::string, RouteInfo> infos;

 private:
  std::map<std::string, RouteHandler> handlers_;
};

struct House {
  std::shared_ptr<Shards> shards = thread_shards(1);
  Library library;
  Loopback loopback;
  std::shared_ptr<Books> books;
  House() {
    mount_port(loopback, library);
    books = connect_port(loopback, std::type_identity<Books>());
  }
  template <class R> Result<typename R::Reply> ask(R request) {
    Caller caller;
    caller.username = "ann";
    const Context context = Context().as(caller);
    Slot<R>& slot = *books;
    return testing::run_on(*shards, slot.on(context, std::move(request)));
  }
};

Call call_of(std::string body, bool strict = true) {
  Call call;
  call.route = AddBook::route;
  call.path.emplace_back("shelf", "a");
  call.body = std::move(body);
  call.strict = strict;
  return call;
}
std::vector<std::string> mistakes(const Call& call) {
  const auto decoded = decode_call<AddBook>(call);
  std::vector<std::string> out;
  if (decoded) return out;
  if (decoded.error().fields.empty()) out.push_back(decoded.error().detail);
  for (const auto& field : decoded.error().fields) out.push_back(field.pointer + " " + field.detail);
  return out;
}
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a described struct is JSON and comes back; absent optionals are left out") {
  Book book;
  book.id = book_id(7);
  book.title = "A \"title\"";
  Author author;
  author.name = "Ann";
  book.authors.push_back(author);
  book.stock["a/b"] = 3;
  book.added = Time(milliseconds(1769860800123));
  book.default_ = true;
  book.extra = RawJson(R"({"kept":[1,2]})");
  const std::string text =
      R"({"id":"00000000-0000-0000-0000-000000000007","title":"A \"title\"","authors":[{"name":"Ann"}],"stock":{"a/b":3},"added":"2026-01-31T12:00:00.123Z","default":true,"extra":{"kept":[1,2]}})";
  CHECK(encode(book) == text);
  const auto again = decode_text<Book>(text, Manner::strict);
  REQUIRE(again);
  CHECK(encode(*again) == text);
}

TEST_CASE("what is wrong is named by its pointer, all of it at once") {
  const auto decoded = decode_text<Book>(
      R"({"id":"x","title":7,"authors":[{"name":"a"},{"nam":"b"}],"stock":{"a/b":1.5},"added":"yesterday","default":1,"extra":{}})", Manner::strict);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == Errc::invalid_request);
  std::vector<std::string> pointers;
  for (const auto& field : decoded.error().fields) pointers.push_back(field.pointer);
  CHECK(pointers == Lines{"/id", "/title", "/authors/1/name", "/authors/1/nam", "/stock/a~1b", "/added", "/default"});
}

TEST_CASE("unknown fields are an error at the edge and skipped between modules") {
  const char* body = R"({"title":"T","copies":1,"more":{"x":1}})";
  CHECK(mistakes(call_of(body)) == Lines{"/more is not known here"});
  CHECK(mistakes(call_of(body, false)).empty());
}

TEST_CASE("rules are checked where they are declared") {
  const std::pair<const char*, Lines> cases[] = {
      {R"({"title":"","copies":1})", {"/title has 1 to 10 characters"}},
      {R"({"title":"ßßßßßßßßßß","copies":1})", {}},
      {R"({"title":"ßßßßßßßßßßß","copies":1})", {"/title has 1 to 10 characters"}},
      {R"({"title":"T","copies":0})", {"/copies is from 1 to 9"}},
      {R"({"title":"T","copies":4294967297})", {"/copies is a whole number in range", "/copies is from 1 to 9"}},
      {R"({"title":"T","copies":1,"kind":"novel"})", {}},
      {R"({"title":"T","copies":1,"kind":"nov"})", {"/kind is one of novel|poem"}},
      {R"({"title":"T","copies":1,"kind":null})", {}},
      {R"({"title":"T","copies":1,"isbn":"12ü"})", {"/isbn has 3 to 13 characters of printable ASCII"}},
      {R"({"title":"T","copies":1,"tags":["ab","abcdef"]})", {"/tags/1 has 2 to 5 characters"}},
      {R"({"title":"T","copies":1,"tags":["ab","ab","ab"]})", {"/tags has 0 to 2 entries"}},
      {R"({"copies":1})", {"/title is missing", "/title has 1 to 10 characters"}},
  };
  for (const auto& [body, expected] : cases) {
    CAPTURE(body);
    const auto found = mistakes(call_of(body));
    // A field that is missing or of the wrong kind is named at least once; what its rule says of nothing does not matter.
    if (expected.empty()) CHECK(found.empty());
    else {
      REQUIRE_FALSE(found.empty());
      CHECK(found.front() == expected.front());
    }
  }
}

TEST_CASE("a body that does not parse is malformed, one that is no object is invalid") {
  CHECK(decode_call<AddBook>(call_of("{")).error().code == Errc::malformed);
  CHECK(decode_call<AddBook>(call_of(R"({"title":"a","title":"b"})")).error().code == Errc::malformed);
  CHECK(decode_call<AddBook>(call_of("[]")).error().code == Errc::invalid_request);
  CHECK(mistakes(call_of(R"({"title":"T","copies":1,"shelf":"b"})")) == Lines{"/shelf is not known here: it is in the path"});
}

TEST_CASE("a path that names nothing is not found; a wrong parameter is invalid") {
  Call call;
  call.route = DropBook::route;
  call.strict = true;
  call.path.emplace_back("id", "no-uuid");
  CHECK(decode_call<DropBook>(call).error().code == Errc::not_found);
  Call find;
  find.route = FindBooks::route;
  find.strict = true;
  find.path.emplace_back("shelf", "a");
  find.query.emplace_back("limit", "many");
  CHECK(decode_call<FindBooks>(find).error().code == Errc::invalid_request);
  find.query[0].second = "0";
  CHECK(decode_call<FindBooks>(find).error().fields.at(0).pointer == "/limit");
  find.query[0] = std::make_pair("shelf", "b");
  CHECK_FALSE(decode_call<FindBooks>(find));
  find.query[0] = std::make_pair("nothing", "b");
  CHECK_FALSE(decode_call<FindBooks>(find));
  find.strict = false;
  CHECK(decode_call<FindBooks>(find));
}

TEST_CASE("a request of a port arrives whole through path and body, and its answer comes back") {
  House house;
  AddBook add;
  add.shelf = "top / left";
  add.title = "T \"x\"";
  add.copies = 3;
  add.kind = "poem";
  add.tags = {"ab", "cd"};
  const auto added = house.ask(add);
  REQUIRE(added);
  CHECK(added->created);
  CHECK(added->value.title == "T \"x\"@top / left");
  CHECK(added->value.authors.at(0).name == "poem/3");
  CHECK(added->value.stock == std::map<std::string, std::int64_t>{{"ab", 3}, {"cd", 3}});
  CHECK(house.library.caller == "ann");
  CHECK(house.loopback.last.path.at(0) == std::make_pair(std::string("shelf"), std::string("top / left")));
  CHECK(house.loopback.last.body == R"({"title":"T \"x\"","copies":3,"kind":"poem","tags":["ab","cd"]})");
  CHECK(house.loopback.last_answer.status == 201);
  add.title = "old";
  CHECK_FALSE(house.ask(add)->created);
  CHECK(house.loopback.last_answer.status == 200);
}

TEST_CASE("GET and DELETE carry the rest as query parameters") {
  House house;
  FindBooks find;
  find.shelf = "a";
  find.query = "7";
  find.limit = 20;
  find.lent = false;
  const auto found = house.ask(find);
  REQUIRE(found);
  CHECK(found->size() == 2);
  CHECK(found->at(0).title == "a|7|20|no");
  CHECK(house.loopback.last.body.empty());
  DropBook drop;
  drop.id = book_id(9);
  CHECK(house.ask(drop));
  CHECK(house.library.dropped == book_id(9));
  CHECK(house.loopback.last_answer.status == 204);
  CHECK(house.loopback.last_answer.body.empty());
}

TEST_CASE("an error that is a part of a reply is the same error again") {
  for (const auto code : {Errc::malformed, Errc::invalid_request, Errc::forbidden, Errc::unavailable, Errc::outcome_unknown, Errc::timeout}) {
    Error error(code, "so it is");
    if (code == Errc::invalid_request) error = Error(code, "so it is", {{"/a", "is wrong"}, {"/b/0", "is too"}});
    if (code == Errc::unavailable) error.retry_after = 7;
    const auto again = error_of(decode_text<Refused>(encode(refused_of(error)), Manner::lenient).value());
    CHECK(again.code == error.code);
    CHECK(again.detail == error.detail);
    CHECK(again.retry_after == error.retry_after);
    REQUIRE(again.fields.size() == error.fields.size());
    for (std::size_t at = 0; at < error.fields.size(); ++at) {
      CHECK(again.fields[at].pointer == error.fields[at].pointer);
      CHECK(again.fields[at].detail == error.fields[at].detail);
    }
  }
  Refused unknown;
  unknown.code = "of a later version";
  CHECK(error_of(unknown).code == Errc::internal);
}

TEST_CASE("an error of the service and one of the decoder come back as what they are") {
  House house;
  AddBook add;
  add.shelf = "a";
  add.title = "twice";
  add.copies = 1;
  CHECK(house.ask(add).error().code == Errc::conflict);
  add.copies = 10;
  CHECK(house.ask(add).error().fields.at(0).pointer == "/copies");
}

TEST_CASE("an answer that its contract does not know is the peer's mistake, not the caller's") {
  Answer answer;
  answer.status = 201;
  for (const char* body : {"", "{", "[]", R"({"title":"T"})"}) {
    answer.body = body;
    CHECK(reply_of<AddBook>(answer).error().code == Errc::internal);
    answer.body = std::string("[") + body;
    CHECK(reply_of<FindBooks>(answer).error().code == Errc::internal);
  }
  answer.body = "[]";
  CHECK(reply_of<FindBooks>(answer).has_value());
}

TEST_CASE("the answer of a module may hold more values than anybody outside may send") {
  const std::vector<Book> many(3000, Book());
  Answer answer;
  answer.body = encode(many);
  CHECK_FALSE(parse_untrusted(answer.body));
  CHECK(reply_of<FindBooks>(answer).value().size() == many.size());
}

TEST_CASE("routes say of themselves what a router and the API description need") {
  House house;
  const auto& add = house.loopback.infos.at(std::string(AddBook::route));
  CHECK(add.status == 201);
  CHECK(add.may_exist);
  CHECK(add.idempotent);
  CHECK(add.access == Access::user);
  CHECK(house.loopback.infos.at(std::string(FindBooks::route)).access == Access::open);
  CHECK(house.loopback.infos.at(std::string(FindBooks::route)).status == 200);
  CHECK(house.loopback.infos.at(std::string(DropBook::route)).status == 204);
  const auto description = describe(add);
  REQUIRE(description.path.size() == 1);
  CHECK(description.path[0].name == "shelf");
  CHECK(description.body.size() == 5);
  std::map<std::string, RouteDescription::Field> body;
  for (const auto& field : description.body) body.emplace(field.name, field);
  CHECK(body.at("title").required);
  CHECK(body.at("title").schema == json::parse(R"({"type":"string","minLength":1,"maxLength":10})"));
  CHECK_FALSE(body.at("kind").required);
  CHECK_FALSE(body.at("tags").required);
  CHECK(body.at("tags").schema == json::parse(R"({"type":"array","items":{"type":"string","minLength":2,"maxLength":5},"minItems":0,"maxItems":2})"));
  CHECK(description.reply["properties"]["default"]["type"] == "boolean");
  CHECK(description.reply["properties"]["added"]["format"] == "date-time");
  CHECK(description.reply["required"] == json::parse(R"(["id","title","authors","stock","added","default","extra"])"));
  CHECK_THROWS_AS(mount_port(house.loopback, house.library), std::logic_error);
}
