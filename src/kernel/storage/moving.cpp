#include "loggia/kernel/moving.hpp"
#include <algorithm>
#include <deque>
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/json_value.hpp"

namespace loggia::moving {
namespace {

using json = nlohmann::json;
constexpr std::int64_t page = 500;      // rows that are read at once
constexpr std::size_t rows_max = 2000;  // of a transaction that writes
constexpr std::size_t bytes_max = 4u << 20;
constexpr std::string_view unfinished = "import.unfinished";

struct Column {
  std::string name;
  Parameter::Kind kind = Parameter::Kind::any;
  std::int64_t key = 0;  // its place in the primary key, from 1
};
struct Table {
  std::string name;
  std::vector<Column> columns;  // by name, which is the same for both engines
  bool counts = false;          // its key is a number that the store gives
};

Parameter::Kind kind_of(std::string type) {
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (type == "integer" || type == "bigint") return Parameter::Kind::integer;
  if (type == "blob" || type == "bytea") return Parameter::Kind::blob;
  return Parameter::Kind::text;
}
std::string_view word_of(Parameter::Kind kind) {
  return kind == Parameter::Kind::integer ? "integer" : kind == Parameter::Kind::blob ? "blob" : "text";
}
std::string in_quotes(const std::string& name) { return '"' + name + '"'; }

/// All but the schema's own history, which a store has from its making.
std::vector<Table> tables_of(Query& query, bool postgres) {
  std::vector<Table> out;
  auto names =
      query.select(postgres ? "SELECT CAST(tablename AS TEXT) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() "
                              "AND tablename NOT IN ('schema_migrations', 'kernel_writer') ORDER BY CAST(tablename AS TEXT) COLLATE \"C\""
                            : "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_migrations' "
                              "ORDER BY name");
  while (names->next()) out.emplace_back().name = names->string(0);
  for (auto& table : out) {
    auto columns = query.select(postgres ? "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, NULL), COALESCE(array_position(CAST(i.indkey AS "
                                           "SMALLINT[]), a.attnum), -1) + 1, "
                                           "CASE WHEN a.attidentity <> '' THEN 1 ELSE 0 END "
                                           "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relnamespace = "
                                           "CAST(current_schema() AS regnamespace) "
                                           "LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary "
                                           "WHERE c.relname = ?1 AND a.attnum > 0 AND NOT a.attisdropped"
                                         : "SELECT name, type, pk, 0 FROM pragma_table_info(?1)",
                                table.name);
    while (columns->next()) {
      auto& column = table.columns.emplace_back();
      column.name = columns->string(0);
      column.kind = kind_of(columns->string(1));
      column.key = columns->integer(2);
      table.counts = table.counts || columns->flag(3);
    }
    std::sort(table.columns.begin(), table.columns.end(), [](const Column& a, const Column& b) { return a.name < b.name; });
  }
  return out;
}

json value_of(const Rows& rows, int at, Parameter::Kind kind) {
  if (rows.null(at)) return nullptr;
  if (kind == Parameter::Kind::integer) return rows.integer(at);
  if (kind == Parameter::Kind::text) return rows.string(at);
  const auto blob = rows.blob(at);
  return crypto::base64url(std::string_view(reinterpret_cast<const char*>(blob.data()), blob.size()));
}

/// Values of a row as parameters, and what they point to.
struct Held {
  std::deque<std::string> texts;
  std::vector<Parameter> parameters;

  void add(const json& value, Parameter::Kind kind) {
    const auto blob = [this](std::string bytes) {
      const auto& kept = texts.emplace_back(std::move(bytes));
      parameters.emplace_back(std::span(reinterpret_cast<const std::uint8_t*>(kept.data()), kept.size()));
    };
    if (value.is_null()) {
      parameters.push_back(kind == Parameter::Kind::integer ? Parameter(std::optional<std::int64_t>())
                           : kind == Parameter::Kind::text  ? Parameter(std::optional<std::string>())
                                                            : Parameter(std::optional<Uuid>()));
    } else if (kind == Parameter::Kind::integer) {
      parameters.emplace_back(value.get<std::int64_t>());
    } else if (kind == Parameter::Kind::text) {
      parameters.emplace_back(texts.emplace_back(value.get<std::string>()));
    } else {
      blob(crypto::from_base64url(value.get<std::string>()).value());
    }
  }
};

/// A page of a table behind `after`, the key of the row before; in the order of the key.
std::string page_of(const Table& table, bool first) {
  std::string columns, key, marks;
  std::vector<const Column*> parts;
  for (const auto& column : table.columns) {
    columns += (columns.empty() ? "" : ", ") + in_quotes(column.name);
    if (column.key > 0) parts.push_back(&column);
  }
  std::sort(parts.begin(), parts.end(), [](const Column* a, const Column* b) { return a->key < b->key; });
  for (std::size_t at = 0; at < parts.size(); ++at) {
    key += (at == 0 ? "" : ", ") + in_quotes(parts[at]->name);
    marks += (at == 0 ? "?" : ", ?") + std::to_string(at + 1);
  }
  return "SELECT " + columns + " FROM " + in_quotes(table.name) + (first ? "" : " WHERE (" + key + ") > (" + marks + ")") + " ORDER BY " + key +
         " LIMIT " + std::to_string(page);
}

/// The row (name, value) is of a store while it is imported into, and of no file.
bool marks_unfinished(const Table& table, const json& row) { return table.name == "kernel_value" && row.front() == unfinished; }

void tell_table(Query& query, const std::string& module, const Table& table, const std::function<void(std::string_view)>& line, Tally& tally) {
  json head = json::object();
  head["table"] = module + "." + table.name;
  int room = -1;
  for (int at = 0; at < static_cast<int>(table.columns.size()); ++at) {
    const auto& column = table.columns[static_cast<std::size_t>(at)];
    head["columns"].push_back(column.name + ":" + std::string(word_of(column.kind)));
    if (column.name == "room" || (table.name == "rooms" && column.name == "id")) room = at;
  }
  line(head.dump());
  const auto tell_row = [&](const json& row) {
    const auto text = row.dump(-1, ' ', false, json::error_handler_t::replace);
    line(text);
    const auto counted = table.name + text;
    tally.all.add(counted);
    if (room >= 0 && row[static_cast<std::size_t>(room)].is_string())
      tally.rooms[row[static_cast<std::size_t>(room)].get<std::string>()].add(counted);
  };
  Held after;
  for (bool first = true;; first = false) {
    auto rows = query.select_with(page_of(table, first), after.parameters);
    std::int64_t count = 0;
    json last;
    while (rows->next()) {
      json row = json::array();
      for (std::size_t at = 0; at < table.columns.size(); ++at) row.push_back(value_of(*rows, static_cast<int>(at), table.columns[at].kind));
      if (!marks_unfinished(table, row)) tell_row(row);
      last = std::move(row);
      ++count;
    }
    if (count < page) return;
    rows.reset();
    Held key;
    for (std::int64_t place = 1; place <= static_cast<std::int64_t>(table.columns.size()); ++place)
      for (std::size_t at = 0; at < table.columns.size(); ++at)
        if (table.columns[at].key == place) key.add(last[at], table.columns[at].kind);
    after = std::move(key);
  }
}

}  // namespace

void Sum::add(std::string_view row) {
  const auto hash = crypto::sha256(row);
  std::uint64_t carry = 0;
  for (std::size_t word = 0; word < words_.size(); ++word) {
    for (std::size_t byte = 0; byte < 4; ++byte) carry += std::uint64_t{static_cast<unsigned char>(hash[4 * word + byte])} << (8 * byte);
    carry += words_[word];
    words_[word] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  ++rows_;
}

std::string Sum::hex() const {
  std::string out;
  for (const auto word : words_)
    for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[word >> shift & 0xF];
  return out;
}

Result<Tally> tell(Database& store, const std::string& module, bool postgres, const std::function<void(std::string_view)>& line) {
  return store.read_now([&](Query& query) -> Result<Tally> {
    Tally out;
    for (const auto& table : tables_of(query, postgres)) tell_table(query, module, table, line, out);
    return out;
  });
}

Result<bool> Listener::begin() {
  return store_.write_now([this](Transaction& transaction) -> Result<bool> {
    if (transaction.select("SELECT 1 FROM kernel_value LIMIT 1")->next())
      return Error(Errc::conflict, "the storage is not empty: import takes one that no server and no command has used. Name another.");
    for (const auto& table : tables_of(transaction, postgres_)) {
      transaction.execute("DELETE FROM " + in_quotes(table.name));  // what its making put there is in the file too
      if (table.counts) tables_.push_back(table.name);
    }
    transaction.execute("INSERT INTO kernel_value (name, value) VALUES (?1, 'a store with this is not whole')", unfinished);
    return true;
  });
}

Result<bool> Listener::head(const std::string& table, const std::vector<std::string>& columns) {
  if (auto done = flush(); !done) return done;
  std::string names, marks;
  columns_.clear();
  for (const auto& column : columns) {
    const auto colon = column.rfind(':');
    const bool fine = colon != column.npos && std::all_of(column.begin(), column.begin() + static_cast<std::ptrdiff_t>(colon),
                                                          [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_'; });
    if (!fine) return Error(Errc::invalid_request, "\"" + column + "\" is no column with its type");
    columns_.push_back({column.substr(0, colon), kind_of(column.substr(colon + 1))});
    names += (names.empty() ? "" : ", ") + in_quotes(columns_.back().name);
    marks += (marks.empty() ? "?" : ", ?") + std::to_string(columns_.size());
  }
  const auto known = store_.read_now([&](Query& query) -> Result<bool> {
    const auto tables = tables_of(query, postgres_);
    return std::any_of(tables.begin(), tables.end(), [&](const Table& one) { return one.name == table; });
  });
  if (!known) return known;
  if (!*known) return Error(Errc::invalid_request, "this release has no table \"" + table + "\"");
  insert_ = "INSERT INTO " + table + " (" + names + ") VALUES (" + marks + ")";
  return true;
}

Result<bool> Listener::row(std::string line) {
  bytes_ += line.size();
  lines_.push_back(std::move(line));
  return lines_.size() < rows_max && bytes_ < bytes_max ? Result<bool>(true) : flush();
}

Result<bool> Listener::flush() {
  if (lines_.empty()) return true;
  auto done = store_.write_now([this](Transaction& transaction) -> Result<bool> {
    for (const auto& line : lines_) {
      const auto row = json::parse(line, nullptr, false);
      if (!row.is_array() || row.size() != columns_.size()) return Error(Errc::invalid_request, "a line is no row: " + line.substr(0, 60));
      Held held;
      for (std::size_t at = 0; at < row.size(); ++at) held.add(row[at], columns_[at].kind);
      transaction.execute_with(insert_, held.parameters);
    }
    return true;
  });
  lines_.clear();
  bytes_ = 0;
  return done;
}

Result<bool> Listener::end() {
  if (auto done = flush(); !done) return done;
  return store_.write_now([this](Transaction& transaction) -> Result<bool> {
    // What the store numbers by itself goes on behind what has come.
    for (const auto& table : tables_)
      transaction.select("SELECT setval(pg_get_serial_sequence('" + table + "', 'number'), COALESCE(MAX(number), 1)) FROM " + table)->next();
    return true;
  });
}

Result<bool> Listener::whole() {
  return store_.write_now([](Transaction& transaction) -> Result<bool> {
    transaction.execute("DELETE FROM kernel_value WHERE name = ?1", unfinished);
    return true;
  });
}

}  // namespace loggia::moving
