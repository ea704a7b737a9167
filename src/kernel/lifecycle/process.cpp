#include "loggia/kernel/process.hpp"
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include "lifecycle/admin.hpp"
#include "lifecycle/control.hpp"
#include "lifecycle/engines.hpp"
#include "lifecycle/inner.hpp"
#include "lifecycle/lock.hpp"
#include "lifecycle/manager.hpp"
#include "lifecycle/starting.hpp"
#include "lifecycle/topics.hpp"
#include "loggia/kernel/log.hpp"
#include "loggia/kernel/mail.hpp"
#include "storage/postgres/server_lock.hpp"

namespace loggia {
namespace {

constexpr int fatal_signal = SIGUSR1;  // from fatal() to the main thread

/// What a module could not open or make, on its way through constructors.
struct StartError : std::runtime_error {
  explicit StartError(Error why) : std::runtime_error(why.detail), error{std::move(why)} {}
  Error error;
};

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : {SIGTERM, SIGINT, SIGHUP, fatal_signal}) sigaddset(&set, one);
  return set;
}

class ProcessHere final : public Process {
 public:
  explicit ProcessHere(ProcessOptions options) : options_{std::move(options)}, main_{pthread_self()} {
    const auto set = our_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);  // inherited by every thread; run() takes them
    ::signal(SIGPIPE, SIG_IGN);
    // The C library raises both by itself when something large is freed: then the memory of the first password's hash stays for ever.
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
    // As many as threads here may be: with fewer (8 a core) a thread that comes later shares one of a shard, and what it makes to last lies
    // between what goes (http::Core::prepare).
    ::mallopt(M_ARENA_MAX, 64);
  }
  ~ProcessHere() override { stop(); }

  Result<bool> start() override try {
    EndsWhileStarting ends(options_.data_only);
    auto began = begin(ends);
    if (!began) stop();
    return began;
  } catch (const StartError& failed) {
    stop();
    return failed.error;
  }

  Kernel& kernel() override { return kernel_; }

  std::string ready_line() const override {
    std::string line = "loggia ready";
    if (!kernel_.public_address.empty()) line += " http=" + kernel_.public_address;
    else if (inner_ && !inner_->address().empty()) line += " rpc=" + inner_->address();
    if (admin_) line += " admin=http://" + admin_->address();
    return line;
  }

  int run() override {
    const auto set = our_signals();
    ServiceManager manager(ServiceManager::asked(), kernel_.shards);
    manager.ready(ready_line());
    for (;;) {
      int which = 0;
      if (sigwait(&set, &which) != 0) continue;
      if (which == SIGHUP) {
        manager.reloading(kernel_.clock->moment());
        reload();
        manager.ready(ready_line());
      } else if (which == fatal_signal) {
        die();
      } else {
        log::info("process.stopping", Field("signal", which == SIGTERM ? "SIGTERM" : "SIGINT"));
        manager.stopping();
        drain();
        stop();
        log::info("process.stopped");
        return 0;
      }
    }
  }

  Result<std::string> command(const std::string& name, std::vector<std::string> arguments) override {
    const auto found = kernel_.commands.find(name);
    if (found == kernel_.commands.end()) return Error(Errc::not_found, "this process has no command " + name);
    Context context(new_trace(*kernel_.random));
    auto work = found->second(context.from("shell", "loggia " + name), std::move(arguments));
    return boost::asio::co_spawn(kernel_.shards->executor(0), std::move(work), boost::asio::use_future).get();
  }

  void stop() override {
    if (stopped_.exchange(true)) return;
    opening_.clear();  // waits for those that nobody took
    if (control_) control_->stop();
    if (admin_) admin_->stop();
    if (kernel_.bus) kernel_.bus->drain();
    if (kernel_.mailer) kernel_.mailer->stop();  // who waits for it goes on
    if (inner_) inner_->close();
    for (auto module = modules_.rbegin(); module != modules_.rend(); ++module) module->second->stop();
    if (kernel_.bus) kernel_.bus->stop();
    if (inner_) inner_->stop();
    {
      const std::lock_guard lock(returning_mutex_);
      if (returning_.valid()) returning_.wait();
    }
    for (const auto& database : databases_) database->close();
    server_lock_.reset();
    kernel_.commands.clear();
    if (kernel_.shards) stop_shards(*kernel_.shards);
    while (!modules_.empty()) modules_.pop_back();
  }

 private:
  Result<bool> begin(EndsWhileStarting& ends) {
    // A command beside no server works on all the data, whichever part of it a process of this configuration has.
    auto wanted = options_.data_only ? std::vector<std::string>() : options_.config.list("process.modules");
    kernel_.config = options_.config;
    kernel_.clock = system_clock();
    kernel_.random = system_random();
    kernel_.ids = std::make_shared<Ids>(*kernel_.clock, *kernel_.random);
    kernel_.metrics = std::make_shared<Metrics>();
    kernel_.modules = options_.modules;
    kernel_.version = options_.version;
    kernel_.commit = options_.commit;
    kernel_.fatal = [this](const std::string& why) { fatal(why); };
    kernel_.readiness = [this] { return readiness(); };
    kernel_.return_memory = [this] { return_memory(); };
    directory_ = kernel_.config.text("storage.dir");
    auto lock = lock_directory(kernel_.config, options_.modules, options_.data_only);
    if (!lock) return lock.error();
    lock_ = std::move(*lock);
    const auto threads = static_cast<std::size_t>(kernel_.config.integer("process.threads"));
    kernel_.shards = thread_shards(threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency()));
    BusOptions bus;
    bus.partitions = static_cast<int>(kernel_.config.integer("bus.partitions"));
    bus.retention = kernel_.config.duration("bus.retention");
    bus.clock = kernel_.clock;
    bus.ids = kernel_.ids;
    bus.shards = kernel_.shards;
    bus.metrics = kernel_.metrics.get();
    bus.on_fatal = kernel_.fatal;
    kernel_.bus =
        kernel_.config.text("bus.transport") == "kafka" ? kafka_bus(std::move(bus), kafka_options(kernel_.config)) : embedded_bus(std::move(bus));
    if (!options_.data_only) kernel_.mailer = configured_mailer(kernel_.config, kernel_.shards);
    kernel_.open = [this](const std::string& module, std::vector<Migration> migrations) { return open(module, std::move(migrations)); };
    std::vector<const ModuleDescriptor*> chosen;
    for (const auto& module : options_.modules) {
      const bool named = wanted.empty() || std::find(wanted.begin(), wanted.end(), module.name) != wanted.end();
      if (named && !(options_.data_only && module.migrations.empty())) chosen.push_back(&module);
    }
    if (!options_.data_only)
      if (auto taken = take_database(chosen); !taken) return taken;
    // All at once, since most of it is waiting for the disk; a module gets its own when it asks.
    for (const auto* module : chosen)
      if (!module->migrations.empty())
        opening_.emplace(module->name, std::async(std::launch::async, open_database, database_options(module->name, module->migrations)));
    for (const auto* module : chosen) {
      kernel_.here.push_back(module->name);
      modules_.emplace_back(module->name, module->make(kernel_));
    }
    add_topic_commands(kernel_);
    if (options_.data_only) return start_modules();
    inner_ = std::make_unique<Inner>(kernel_, chosen);
    kernel_.commands["instances"] = [this](const Context&, const std::vector<std::string>&) { return inner_->instances(); };
    if (auto connected = inner_->connect(); !connected) return connected;
    modules_.insert(modules_.begin(), std::make_move_iterator(inner_->stand_ins.begin()), std::make_move_iterator(inner_->stand_ins.end()));
    if (auto opened = inner_->open(); !opened) return opened;
    if (auto started = kernel_.bus->start(); !started) return started;
    ends.over();  // from here on there are people, who are told
    if (auto started = start_modules(); !started) return started;
    inner_->serve();
    if (kernel_.mailer) kernel_.mailer->start();
    if (lock_) {
      auto control = serve_control(kernel_, directory_ / lock_->socket());
      if (!control) return control.error();
      control_ = std::move(*control);
    }
    admin_ = admin_server(kernel_);
    if (auto listening = admin_->start(); !listening) return listening;
    return true;
  }

  Result<bool> start_modules() {
    for (const auto& [name, module] : modules_)
      if (auto started = module->start(); !started) return started;
    return true;
  }

  /// What several processes store in one database needs a bus that brings each what happens at the others.
  Result<bool> take_database(const std::vector<const ModuleDescriptor*>& chosen) {
    if (kernel_.config.text("storage.kind") != "postgres") return true;  // a directory has a lock of its own
    postgres::ServerLock::Options options;
    for (const auto* module : chosen)
      if (!module->migrations.empty()) options.modules.push_back(module->name);
    if (options.modules.empty()) return true;
    options.url = kernel_.config.text("storage.postgres.url");
    options.alone = kernel_.config.text("bus.transport") != "kafka";
    options.on_fatal = kernel_.fatal;
    auto lock = postgres::ServerLock::take(std::move(options));
    if (!lock) return lock.error();
    server_lock_ = std::move(*lock);
    return true;
  }

  DatabaseOptions database_options(const std::string& module, std::vector<Migration> migrations) const {
    DatabaseOptions options;
    options.directory = directory_;
    if (kernel_.config.text("storage.kind") == "postgres") options.postgres = kernel_.config.text("storage.postgres.url");
    options.name = module;
    options.migrations = std::move(migrations);
    options.keep_before_migration = kernel_.config.flag("storage.keep_before_migration");
    options.clock = kernel_.clock;
    options.on_fatal = kernel_.fatal;
    return options;
  }

  std::shared_ptr<Database> open(const std::string& module, std::vector<Migration> migrations) {
    auto begun = opening_.extract(module);
    auto database = begun ? begun.mapped().get() : open_database(database_options(module, std::move(migrations)));
    if (!database) throw StartError(database.error());
    databases_.push_back(*database);
    return *database;
  }

  std::vector<Check> readiness() const {
    std::vector<Check> checks;
    for (const auto& [name, module] : modules_) {
      auto check = module->ready();
      check.name = name;
      checks.push_back(std::move(check));
    }
    for (const auto& database : databases_) {
      Check check;
      check.name = "storage." + database->name();
      if (!database->writable()) {
        check.state = Check::State::down;
        check.detail = database->unwritable();
      }
      checks.push_back(std::move(check));
    }
    auto others = inner_->readiness();
    checks.insert(checks.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    if (const auto bus = kernel_.bus->state(); !bus.broker.empty()) {
      Check check;
      check.name = bus.broker;
      if (!bus.degraded.empty()) check.state = Check::State::degraded;
      check.detail = bus.degraded;
      checks.push_back(std::move(check));
    }
    if (kernel_.mailer) {
      Check check;
      check.name = "smtp";
      check.detail = kernel_.mailer->trouble();
      if (!check.detail.empty()) check.state = Check::State::degraded;
      checks.push_back(std::move(check));
    }
    if (draining_) {
      Check check;
      check.name = "process";
      check.state = Check::State::down;
      check.detail = "is stopping";
      checks.push_back(std::move(check));
    }
    return checks;
  }

  /// On a thread of its own: a store that is committing is waited for, and all arenas of the C library are gone through.
  void return_memory() {
    const std::lock_guard lock(returning_mutex_);
    if (stopped_ || (returning_.valid() && returning_.wait_for(milliseconds(0)) != std::future_status::ready)) return;
    try {
      returning_ = std::async(std::launch::async, [this] {
        for (const auto& database : databases_) database->release_memory();
        ::malloc_trim(0);
      });
    } catch (const std::system_error& problem) {
      log::warn("process.memory_not_returned", Field("why", problem.what()));  // no thread can be had
    }
  }

  void drain() {
    draining_ = true;
    const auto end = kernel_.clock->moment() + kernel_.config.duration("process.drain");
    for (auto module = modules_.rbegin(); module != modules_.rend(); ++module) module->second->drain();
    kernel_.bus->drain();
    inner_->drain();
    const auto done = [&] {
      return inner_->drained() && std::all_of(modules_.begin(), modules_.end(), [](const auto& one) { return one.second->drained(); });
    };
    while (!done() && kernel_.clock->moment() < end) std::this_thread::sleep_for(milliseconds(10));
  }

  void reload() {
    log::info("process.reloading");
    for (const auto& [name, module] : modules_) module->reload(kernel_.config);
    inner_->reload();
  }

  /// From any thread. The main thread ends the process a moment later, so that what is known can still be answered.
  void fatal(const std::string& why) {
    if (fatal_.exchange(true)) return;
    log::error("process.fatal", Field("why", why));
    pthread_kill(main_, fatal_signal);
  }
  /// What is known is answered first, also on a machine that is busy: an answer takes a few turns of its loop.
  [[noreturn]] void die() {
    const auto end = kernel_.clock->moment() + std::chrono::seconds(2);
    for (int turn = 0; turn < 8; ++turn) {
      const auto left = std::make_shared<std::atomic<std::size_t>>(kernel_.shards->size());
      for (std::size_t shard = 0; shard < kernel_.shards->size(); ++shard) kernel_.shards->post(shard, [left] { --*left; });
      while (*left > 0 && kernel_.clock->moment() < end) std::this_thread::sleep_for(milliseconds(1));
    }
    std::this_thread::sleep_for(milliseconds(300));
    std::_Exit(1);
  }

  ProcessOptions options_;
  pthread_t main_;
  std::filesystem::path directory_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<postgres::ServerLock> server_lock_;
  Kernel kernel_;
  std::map<std::string, std::future<Result<std::shared_ptr<Database>>>> opening_;
  std::vector<std::shared_ptr<Database>> databases_;
  std::unique_ptr<Inner> inner_;  // proxies of modules elsewhere use it
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> modules_;
  std::unique_ptr<ControlSocket> control_;
  std::shared_ptr<HttpServer> admin_;
  std::mutex returning_mutex_;
  std::future<void> returning_;
  std::atomic<bool> draining_{false}, fatal_{false}, stopped_{false};
};

}  // namespace

std::unique_ptr<Process> make_process(ProcessOptions options) { return std::make_unique<ProcessHere>(std::move(options)); }

}  // namespace loggia
