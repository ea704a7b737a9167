#include "http/core.hpp"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <system_error>
#include <thread>
#include "http/frames.hpp"
#include "loggia/kernel/capacity.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mutual_tls.hpp"

namespace loggia::http {
namespace {

constexpr std::size_t scratch_size = 64u << 10;
/// How many turns of the loop a flush waits while more comes in: what is joined costs one send().
constexpr std::size_t turns_max = 16;
constexpr std::chrono::seconds calm_again{150};
constexpr std::size_t crowd_min = 100, calm_sweeps = 4, prepared_least = 64, prepared_most = 1024;

Limits limits_of(const HttpServerOptions& options) {
  Limits limits;
  limits.header_max = options.header_max;
  limits.target_max = options.target_max;
  limits.body_max = options.body_max;
  return limits;
}

milliseconds interval_of(const HttpServerOptions& options) {
  const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 4, milliseconds(5), milliseconds(500));
}

}  // namespace

Member::Member(std::shared_ptr<Core> core, std::size_t shard) : core_{std::move(core)}, shard_{shard} {
  auto& state = *core_->states_[shard_];
  position_ = state.members.size();
  state.members.push_back(this);
  if (!state.sweeper) core_->sweep_on(shard_);
  if (position_ >= state.prepared) core_->prepare(shard_);
}

Member::~Member() { leave(); }

void Member::leave() {
  if (!std::exchange(listed_, false)) return;
  auto& members = core_->states_[shard_]->members;
  members[position_] = members.back();
  members[position_]->position_ = position_;
  members.pop_back();
  give_back_capacity(members);
}

void Member::mark_dirty() {
  auto& state = *core_->states_[shard_];
  ++state.marks;
  if (!std::exchange(dirty_, true)) state.dirty.push_back(weak_from_this());
  if (std::exchange(state.flush_posted, true)) return;
  core_->post_flush(shard_);
}

Moment Member::now() const { return core_->clock->moment(); }

Handling::Handling(std::shared_ptr<Core> core) : core_{std::move(core)} { ++core_->handling; }
Handling::~Handling() {
  if (core_) --core_->handling;
}

Slot::Slot(std::shared_ptr<Core> core) : core_{std::move(core)} {
  const auto now = core_->count_.fetch_add(1) + 1;
  auto most = core_->most_.load(std::memory_order_relaxed);
  while (now > most && !core_->most_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
  core_->metrics.connections.add(1);
}

Slot& Slot::operator=(Slot&& other) noexcept {
  if (this != &other) {
    release();
    core_ = std::move(other.core_);
  }
  return *this;
}

void Slot::release() {
  if (!core_) return;
  const auto core = std::move(core_);
  core_ = nullptr;
  core->metrics.connections.add(-1);
  std::lock_guard lock(core->empty_mutex_);
  if (core->count_.fetch_sub(1) == 1) core->empty_.notify_all();
}

ServerMetrics::ServerMetrics(Metrics& all, const std::string& name)
    : connections{all.gauge("loggia_http_connections", "Open connections of a listener, WebSockets among them.", {{"server", name}})},
      websockets{all.gauge("loggia_websocket_connections", "Open WebSockets.", {{"server", name}})},
      duration{all.histogram("loggia_http_request_duration_seconds", "From the end of a request to the end of its answer.", {{"server", name}})},
      sent_bytes{all.counter("loggia_websocket_sent_bytes_total", "Bytes sent over WebSockets.", {{"server", name}})},
      sent_frames{all.counter("loggia_websocket_sent_frames_total", "Data frames sent over WebSockets.", {{"server", name}})},
      forged{all.counter("loggia_http_forged_identity_total",
                         "Requests from outside with headers by which modules name a caller; those were dropped.", {{"server", name}})} {
  for (int kind = 0; kind < 5; ++kind) {
    const Labels labels{{"server", name}, {"status", std::to_string(kind + 1) + "xx"}};
    requests[kind] = &all.counter("loggia_http_requests_total", "Requests answered, refused ones too.", labels);
  }
}

Core::Core(HttpServerOptions o, std::shared_ptr<Shards> s, std::shared_ptr<Clock> c, Metrics& m, HttpHandlers h)
    : options{std::move(o)},
      limits{limits_of(options)},
      shards{std::move(s)},
      clock{std::move(c)},
      handlers{std::move(h)},
      metrics{m, options.name},
      sweep_interval_{interval_of(options)} {
  for (std::size_t i = 0; i < shards->size(); ++i) states_.push_back(std::make_unique<State>());
}

std::span<char> Core::scratch(std::size_t shard) {
  auto& buffer = states_[shard]->scratch;
  if (buffer.empty()) buffer.resize(scratch_size);
  return buffer;
}

std::vector<std::shared_ptr<Member>> Core::members_of(std::size_t shard) const {
  std::vector<std::shared_ptr<Member>> out;
  for (auto* member : states_[shard]->members)
    if (auto held = member->weak_from_this().lock()) out.push_back(std::move(held));
  return out;
}

void Core::sweep_on(std::size_t shard) {
  // The timer holds no pointer to this: the last connection may go, and this with it.
  states_[shard]->sweeper = shards->after(shard, sweep_interval_, [weak = weak_from_this(), shard] {
    const auto core = weak.lock();
    if (!core) return;
    auto& state = *core->states_[shard];
    // Kept until the end: it owns the function that runs.
    const auto running = std::exchange(state.sweeper, nullptr);
    const auto now = core->clock->moment();
    for (const auto& member : core->members_of(shard)) member->sweep(now);
    const bool more = shard == 0 && core->calm();
    if ((more || !state.members.empty()) && !state.sweeper) core->sweep_on(shard);
  });
}

/// The C library keeps what was freed. Once a good part of a crowd has gone, and what it had was let go of, somebody is told; and once more when
/// what is known of people for a minute or two is over, which lies between what was freed.
bool Core::calm() {
  const auto now = connections(), most = most_.load(std::memory_order_relaxed);
  calm_ = now < last_ ? 0 : calm_ + 1;
  last_ = now;
  const bool gone = most >= now + crowd_min && now <= most / 4 * 3, first = gone && calm_ >= calm_sweeps, again = clock->moment() >= later_;
  if (again) later_ = Moment::max();
  if (first) {
    most_ = now;
    later_ = clock->moment() + calm_again;
  }
  if ((first || again) && options.on_calm) options.on_calm();
  // While there are others this goes on, also where shard 0 has none of them: they may be the crowd that goes.
  return now > 0 || gone || later_ != Moment::max();
}

namespace {

/// Descriptors that exist for a moment, so many at once that Asio has to allocate for `count` of them.
void register_together(const Executor& loop, std::size_t count) {
  std::vector<boost::asio::posix::stream_descriptor> together;
  together.reserve(count);
  const int any = ::eventfd(0, EFD_CLOEXEC);
  for (; any >= 0 && count > 0; --count) {
    const int descriptor = ::fcntl(any, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) break;
    boost::system::error_code ignored;
    together.emplace_back(loop).assign(descriptor, ignored);
    if (!together.back().is_open()) ::close(descriptor);
  }
  if (any >= 0) ::close(any);
}

}  // namespace

/// What Asio allocates for a descriptor it keeps for the next one, for ever. Made one by one, between what each connection has, these would
/// hold on to every page of a crowd that has gone; so they are made together, as many again as there are, and by a thread of its own: the C
/// library gives that another arena, where they lie side by side and nothing else does. Where there is no memory for it, it is left.
void Core::prepare(std::size_t shard) {
  const auto more = std::clamp(states_[shard]->prepared, prepared_least, prepared_most);
  states_[shard]->prepared += more;
  try {
    std::thread([loop = shards->executor(shard), more] {
      try {
        register_together(loop, more);
      } catch (const std::exception&) {
        // The connections that come will say so, each for itself.
      }
    }).join();
  } catch (const std::system_error&) {
    // No thread can be had.
  }
}

void Core::post_flush(std::size_t shard) {
  shards->post(shard, [weak = weak_from_this(), shard] {
    if (const auto core = weak.lock()) core->flush_dirty(shard);
  });
}

void Core::flush_dirty(std::size_t shard) {
  auto& state = *states_[shard];
  if (state.marks != state.marks_seen && state.turns < turns_max) {
    state.marks_seen = state.marks;
    ++state.turns;
    return post_flush(shard);
  }
  state.turns = 0;
  state.flush_posted = false;
  state.counted = nullptr;
  state.plain = state.deflated = nullptr;
  std::vector<std::weak_ptr<Member>> dirty;
  dirty.swap(state.dirty);
  for (const auto& weak : dirty) {
    const auto member = weak.lock();
    if (!member) continue;
    member->dirty_ = false;
    member->flush();
  }
  dirty.clear();
  give_back_capacity(dirty, state.members.size());
  if (state.dirty.empty()) state.dirty.swap(dirty);  // keeps the capacity
}

void Core::drain_all() {
  for (std::size_t shard = 0; shard < shards->size(); ++shard) {
    shards->post(shard, [core = shared_from_this(), shard] {
      for (const auto& member : core->members_of(shard)) member->drain();
    });
  }
}

void Core::terminate_all() {
  for (std::size_t shard = 0; shard < shards->size(); ++shard) {
    shards->post(shard, [core = shared_from_this(), shard] {
      for (const auto& member : core->members_of(shard)) member->terminate();
      core->states_[shard]->sweeper = nullptr;
    });
  }
}

void Core::wait_until_empty() {
  std::unique_lock lock(empty_mutex_);
  empty_.wait(lock, [&] { return count_.load() == 0; });
}

/// A frame to a room is queued on many connections one after the other.
void Core::count_frames_of(std::size_t shard, const SharedBytes& framed) {
  auto& state = *states_[shard];
  if (state.counted != framed.get()) {
    state.counted = framed.get();
    state.counted_frames = count_frames(*framed);
  }
  metrics.sent_frames.add(state.counted_frames);
}

Deflater& Core::deflater(std::size_t shard) {
  auto& state = *states_[shard];
  if (!state.deflater) state.deflater = std::make_unique<Deflater>();
  return *state.deflater;
}

SharedBytes Core::deflated(std::size_t shard, SharedBytes framed) {
  auto& state = *states_[shard];
  if (state.plain != framed) {
    state.deflated = std::make_shared<const std::string>(deflater(shard).frames(*framed));
    state.plain = std::move(framed);
  }
  return state.deflated;
}

HttpResponse Core::refusal(int status, std::string_view detail) const {
  HttpResponse response;
  try {
    if (handlers.refusal) response = handlers.refusal(status, detail);
  } catch (const std::exception& error) {
    log::error("http.refusal_failed", Field("server", options.name), Field("error", error.what()));
    response = HttpResponse();
  }
  response.status = status;
  return response;
}

std::shared_ptr<TlsContext> Core::tls() const {
  if (options.mutual) return options.mutual->server();
  std::lock_guard lock(tls_mutex_);
  return tls_;
}

void Core::set_tls(std::shared_ptr<TlsContext> tls) {
  std::lock_guard lock(tls_mutex_);
  tls_ = std::move(tls);
}

}  // namespace loggia::http
