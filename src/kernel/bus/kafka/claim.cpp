#include "bus/kafka/claim.hpp"
#include <charconv>
#include "loggia/kernel/log.hpp"

namespace loggia::kafka {
namespace {

constexpr milliseconds lease(5000), renewed_every(1500), asked_every(500);
constexpr const char* name = "relay";  // of kernel_value: `WHO UNTIL`, milliseconds since 1970

}  // namespace

Claim::Claim(std::shared_ptr<bus::LogHere> log, std::string who, std::shared_ptr<Clock> clock)
    : log_{std::move(log)}, who_{std::move(who)}, clock_{std::move(clock)} {}

Result<bool> Claim::take(Transaction& transaction, const std::string& value, Time now, Moment moment) {
  transaction.execute("INSERT INTO kernel_value(name, value) VALUES (?1, '') ON CONFLICT DO NOTHING", name);
  auto rows = transaction.select("SELECT value FROM kernel_value WHERE name = ?1", name);
  const auto before = rows->next() ? rows->string(0) : std::string();
  rows.reset();
  const auto space = before.find(' ');
  std::int64_t until = 0;
  if (space != before.npos) std::from_chars(before.data() + space + 1, before.data() + before.size(), until);
  if (before != seen_) {
    seen_ = before;
    seen_at_ = moment;
  }
  // Whoever holds it renews it. One that stays as it is for longer than it is given for is over, whatever the clock said that gave it.
  const bool over = Time(milliseconds(until)) <= now || moment - seen_at_ > lease;
  if (before.substr(0, space) != who_ && !over) return false;
  // Only from what was read: of two that take it at once, one does.
  return transaction.execute("UPDATE kernel_value SET value = ?3 WHERE name = ?1 AND value = ?2", name, before, value) == 1;
}

bool Claim::look() {
  if (!log_->store()->shared()) return !ours_.exchange(true);
  const auto moment = clock_->moment();
  if (looked_once_ && moment - looked_ < (ours_ ? renewed_every : asked_every)) return false;
  looked_once_ = true;
  looked_ = moment;
  const auto now = clock_->now();
  const auto value = who_ + ' ' + std::to_string((now + lease).time_since_epoch().count());
  auto taken = log_->store()->write_now([&](Transaction& transaction) { return take(transaction, value, now, moment); });
  const bool was = ours_;
  if (taken && *taken) {
    until_ = moment + lease;
    ours_ = true;
  } else if (taken || moment >= until_) {
    ours_ = false;  // another has it; or the store was away for so long that another may
  }
  if (was != ours_) log::info(ours_ ? "kafka.relay_taken" : "kafka.relay_lost", Field("log", log_->module()));
  return ours_ && !was;
}

void Claim::give_up() {
  if (!ours_.exchange(false) || !log_->store()->shared()) return;
  (void)log_->store()->write_now([&](Transaction& transaction) -> Result<std::int64_t> {
    return transaction.execute("UPDATE kernel_value SET value = '' WHERE name = ?1 AND value LIKE ?2", name, who_ + " %");
  });
}

}  // namespace loggia::kafka
