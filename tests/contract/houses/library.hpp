#pragma once
// A module of the tests alone, whose requests and replies have bytes: what a contract promises of them, on the same three ways as all others.
#include "loggia/kernel/bytes.hpp"
#include "loggia/kernel/module.hpp"

namespace loggia::contract::library {

/// Of bytes: how many, and what they add up to.
struct Stored {
  std::int64_t size = 0;
  std::string sum;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (size, sum))

/// All of the book, or nothing of it. "refused" is refused at once, "half" after the first piece.
struct StoreBook {
  using Reply = Stored;
  static constexpr std::string_view route = "POST /internal/books/{name}";
  static constexpr Access access = Access::internal;
  std::string name;
  std::string edition;
  ByteStream bytes;
};
BOOST_DESCRIBE_STRUCT(StoreBook, (), (name, edition))

struct Book {
  std::string name, edition;
  std::int64_t size = 0;
  ByteStream bytes;
};
BOOST_DESCRIBE_STRUCT(Book, (), (name, edition, size))

/// "huge" is made as it is read; "broken" fails in the middle.
struct ReadBook {
  using Reply = Book;
  static constexpr std::string_view route = "GET /internal/books/{name}";
  static constexpr Access access = Access::internal;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(ReadBook, (), (name))

/// Bytes there, and others back.
struct CopyBook {
  using Reply = Book;
  static constexpr std::string_view route = "POST /internal/books/{name}/copy";
  static constexpr Access access = Access::internal;
  std::string name;
  ByteStream bytes;
};
BOOST_DESCRIBE_STRUCT(CopyBook, (), (name))

/// Something said, and bytes back: the books that are named, one behind the other.
struct BindBooks {
  using Reply = Book;
  static constexpr std::string_view route = "POST /internal/bindings";
  static constexpr Access access = Access::internal;
  std::string name;
  std::vector<std::string> books;
};
BOOST_DESCRIBE_STRUCT(BindBooks, (), (name, books))

struct Shelf {
  std::int64_t books = 0, cut = 0, given = 0, dropped = 0;
};
BOOST_DESCRIBE_STRUCT(Shelf, (), (books, cut, given, dropped))

/// How many books there are, how many were cut on their way here, how many bytes of "huge" were made, and how often nobody wanted the rest of it.
struct GetShelf {
  using Reply = Shelf;
  static constexpr std::string_view route = "GET /internal/books";
  static constexpr Access access = Access::internal;
};
BOOST_DESCRIBE_STRUCT(GetShelf, (), ())

using Library = Port<StoreBook, ReadBook, CopyBook, BindBooks, GetShelf>;

inline constexpr std::int64_t huge = 48 << 20;

std::string sum_of(std::string_view bytes, std::string before = std::string());
ModuleDescriptor module();

}  // namespace loggia::contract::library
