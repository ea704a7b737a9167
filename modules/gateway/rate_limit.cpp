#include "rate_limit.hpp"
#include <algorithm>
#include <functional>

namespace loggia::gateway {
namespace {

using std::chrono::nanoseconds;

int whole_seconds(nanoseconds time) { return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(std::max(time, nanoseconds(0))).count()); }

}  // namespace

Verdict RateLimiter::take(const Policy& policy, std::string_view who, Moment now) {
  std::string key(policy.name);
  (key += '\n') += who;
  auto& stripe = all_[std::hash<std::string>()(key) % stripes];
  const nanoseconds window = policy.window;
  const nanoseconds each = window / policy.quota;
  const std::lock_guard lock(stripe.mutex);
  auto found = stripe.full_at.find(key);
  if (found == stripe.full_at.end()) {
    if (stripe.full_at.size() >= stripe_max_) make_room(stripe, now);
    found = stripe.full_at.emplace(std::move(key), now).first;
  }
  const auto begun = std::max(found->second, now);
  const auto next = begun + each;
  Verdict out;
  out.policy = &policy;
  out.allowed = next - now <= window;
  if (out.allowed) found->second = next;
  else out.retry_after = std::max(whole_seconds(next - now - window), 1);
  const nanoseconds used = found->second - now;
  out.remaining = out.allowed ? static_cast<int>((window - used) / each) : 0;
  out.reset = whole_seconds(used);
  return out;
}

void RateLimiter::make_room(Stripe& stripe, Moment now) const {
  std::erase_if(stripe.full_at, [now](const auto& entry) { return entry.second <= now; });
  // Whoever asks from so many addresses is not held by a count of each; people are not to be locked out for it.
  if (stripe.full_at.size() >= stripe_max_) stripe.full_at.erase(stripe.full_at.begin());
}

std::size_t RateLimiter::size() const {
  std::size_t sum = 0;
  for (const auto& stripe : all_) {
    const std::lock_guard lock(stripe.mutex);
    sum += stripe.full_at.size();
  }
  return sum;
}

void announce(Parameters& headers, const Verdict& verdict) {
  if (!verdict.policy) return;
  const std::string name = '"' + std::string(verdict.policy->name) + '"';
  headers.emplace_back("RateLimit-Policy",
                       name + ";q=" + std::to_string(verdict.policy->quota) + ";w=" + std::to_string(verdict.policy->window.count()));
  headers.emplace_back("RateLimit", name + ";r=" + std::to_string(verdict.remaining) + ";t=" + std::to_string(verdict.reset));
}

Error refused(const Verdict& verdict) {
  Error out(Errc::rate_limited, "too many requests of this kind; come back in " + std::to_string(verdict.retry_after) + " s");
  out.retry_after = verdict.retry_after;
  return out;
}

}  // namespace loggia::gateway
