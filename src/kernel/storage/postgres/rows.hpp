#pragma once
// Rows that PostgreSQL sends, in its binary forms.
#include "storage/postgres/connection.hpp"

namespace loggia::postgres {

// Of its catalogue (pg_type.dat): these never change.
constexpr unsigned type_bool = 16, type_bytea = 17, type_int8 = 20, type_int2 = 21, type_int4 = 23, type_text = 25, type_name = 19,
                   type_unknown = 705, type_varchar = 1043, type_numeric = 1700;

/// Waits for its statement at the first next(). Not longer than the transaction.
class RowsThere final : public Rows {
 public:
  RowsThere(Connection& connection, std::shared_ptr<Reply> reply) : connection_{connection}, reply_{std::move(reply)} {}
  bool next() override;
  std::int64_t integer(int column) const override;
  std::string_view text(int column) const override;
  std::span<const std::uint8_t> blob(int column) const override;
  bool null(int column) const override;

 private:
  Connection& connection_;
  std::shared_ptr<Reply> reply_;
  int row_ = -1;
};

/// Whether the server said that it committed: to COMMIT in a transaction that had failed it says that it rolled back, and no error.
bool said_commit(const Reply& reply);

}  // namespace loggia::postgres
