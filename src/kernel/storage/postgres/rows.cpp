#include "storage/postgres/rows.hpp"
#include <libpq-fe.h>

namespace loggia::postgres {
namespace {

[[noreturn]] void wrong_type(const pg_result* result, int column, std::string_view wanted) {
  throw std::logic_error("column " + std::string(PQfname(result, column)) + " has the type " + std::to_string(PQftype(result, column)) +
                         " of PostgreSQL, which is no " + std::string(wanted));
}

/// Of a NUMERIC, which is what SUM makes of BIGINTs: digits to the base of 10,000, the first of which counts as many times that as `weight` says.
std::int64_t whole_number(const unsigned char* bytes, int size) {
  const auto word = [&](int at) { return 2 * at + 2 <= size ? static_cast<std::int16_t>(bytes[2 * at] << 8 | bytes[2 * at + 1]) : std::int16_t{0}; };
  const int digits = word(0), weight = word(1);
  std::int64_t out = 0;
  for (int at = 0; at <= weight; ++at) out = out * 10000 + (at < digits ? word(4 + at) : 0);
  return word(2) == 0x4000 ? -out : out;
}

}  // namespace

bool RowsThere::next() {
  if (row_ < 0) connection_.wait(*reply_);
  return ++row_ < PQntuples(reply_->result.get());
}

bool RowsThere::null(int column) const { return PQgetisnull(reply_->result.get(), row_, column) != 0; }

std::int64_t RowsThere::integer(int column) const {
  const auto* result = reply_->result.get();
  if (null(column)) return 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(PQgetvalue(result, row_, column));
  const auto size = PQgetlength(result, row_, column);
  switch (PQftype(result, column)) {
    case type_bool:
    case type_int2:
    case type_int4:
    case type_int8:
      break;
    case type_numeric:
      return whole_number(bytes, size);
    default:
      wrong_type(result, column, "integer");
  }
  std::uint64_t out = size > 1 && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (int at = 0; at < size; ++at) out = out << 8 | bytes[at];
  return static_cast<std::int64_t>(out);
}

std::string_view RowsThere::text(int column) const {
  const auto* result = reply_->result.get();
  if (null(column)) return {};
  switch (PQftype(result, column)) {
    case type_text:
    case type_varchar:
    case type_name:
    case type_unknown:
      return {PQgetvalue(result, row_, column), static_cast<std::size_t>(PQgetlength(result, row_, column))};
    default:
      wrong_type(result, column, "text");
  }
}

std::span<const std::uint8_t> RowsThere::blob(int column) const {
  const auto* result = reply_->result.get();
  if (null(column)) return {};
  const auto type = PQftype(result, column);
  if (type != type_bytea && type != type_text) wrong_type(result, column, "blob");
  return {reinterpret_cast<const std::uint8_t*>(PQgetvalue(result, row_, column)), static_cast<std::size_t>(PQgetlength(result, row_, column))};
}

bool said_commit(const Reply& reply) { return reply.result && std::string_view(PQcmdStatus(reply.result.get())) == "COMMIT"; }

}  // namespace loggia::postgres
