#include "contract/houses/library.hpp"
#include "loggia/kernel/wire.hpp"

namespace loggia::contract::library {
namespace {

struct Counts {
  std::int64_t cut = 0, given = 0, dropped = 0;
};

/// Made piece by piece; fails after `good` of them.
class Made final : public ByteSource {
 public:
  Made(std::shared_ptr<Counts> counts, std::int64_t size, std::int64_t good) : counts_{std::move(counts)}, left_{size}, good_{good} {}
  ~Made() override { counts_->dropped += left_ > 0 && good_ > 0 ? 1 : 0; }
  Async<std::string> read(Moment) override {
    if (good_-- == 0) co_return Error(Errc::unavailable, "the disk is gone");
    const auto size = std::min<std::int64_t>(left_, ByteStream::piece_max);
    left_ -= size;
    counts_->given += size;
    co_return std::string(static_cast<std::size_t>(size), 'h');
  }

 private:
  const std::shared_ptr<Counts> counts_;
  std::int64_t left_, good_;
};

class Books final : public Library {
 public:
  explicit Books(std::shared_ptr<Clock> clock) : clock_{std::move(clock)} {}

  Async<Stored> on(Context context, StoreBook request) override {
    if (late(context)) co_return Error(Errc::timeout, "there was no time left to begin");
    if (request.name == "refused") co_return Error(Errc::forbidden, "not this book");
    std::string whole;
    for (;;) {
      auto piece = co_await request.bytes.read(context.deadline());
      if (!piece) ++counts_->cut;
      if (!piece) co_return piece.error();
      if (piece->empty()) break;
      whole += *piece;
      if (request.name == "half") co_return Error(Errc::too_large, "half of it is too much");
    }
    Stored out;
    out.size = static_cast<std::int64_t>(whole.size());
    out.sum = sum_of(whole);
    books_[request.name] = std::pair(request.edition, std::move(whole));
    co_return out;
  }

  Async<Book> on(Context context, ReadBook request) override {
    if (late(context)) co_return Error(Errc::timeout, "there was no time left to begin");
    Book out;
    out.name = request.name;
    const auto found = books_.find(request.name);
    if (request.name == "huge" || request.name == "broken") {
      out.size = huge;
      out.bytes = ByteStream(std::make_shared<Made>(counts_, huge, request.name == "huge" ? huge : 2));
    } else if (found == books_.end()) {
      co_return Error(Errc::not_found, "there is no such book");
    } else {
      out.edition = found->second.first;
      out.size = static_cast<std::int64_t>(found->second.second.size());
      out.bytes = bytes_of(found->second.second);
    }
    co_return out;
  }

  Async<Book> on(Context context, CopyBook request) override {
    StoreBook store;
    store.name = request.name;
    store.bytes = request.bytes;
    auto stored = co_await on(context, std::move(store));
    if (!stored) co_return stored.error();
    ReadBook read;
    read.name = request.name;
    co_return co_await on(context, std::move(read));
  }

  Async<Book> on(Context context, BindBooks request) override {
    if (late(context)) co_return Error(Errc::timeout, "there was no time left to begin");
    std::string whole;
    for (const auto& name : request.books) {
      const auto found = books_.find(name);
      if (found == books_.end()) co_return Error(Errc::not_found, "there is no such book");
      whole += found->second.second;
    }
    Book out;
    out.name = request.name;
    out.size = static_cast<std::int64_t>(whole.size());
    out.bytes = bytes_of(std::move(whole));
    co_return out;
  }

  Async<Shelf> on(Context context, GetShelf) override {
    if (late(context)) co_return Error(Errc::timeout, "there was no time left to begin");
    Shelf out;
    out.books = static_cast<std::int64_t>(books_.size());
    out.cut = counts_->cut;
    out.given = counts_->given;
    out.dropped = counts_->dropped;
    co_return out;
  }

 private:
  bool late(const Context& context) const { return context.deadline() <= clock_->moment(); }

  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
  std::map<std::string, std::pair<std::string, std::string>> books_;
};

class Quiet final : public Module {
 public:
  explicit Quiet(Kernel& kernel) { kernel.ports.offer<Library>(std::make_shared<Books>(kernel.clock)); }
};

}  // namespace

/// FNV-1a.
std::string sum_of(std::string_view bytes, std::string before) {
  std::uint64_t out = before.empty() ? 14695981039346656037u : std::stoull(before);
  for (const char c : bytes) out = (out ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return std::to_string(out);
}

ModuleDescriptor module() {
  ModuleDescriptor out;
  out.name = "library";
  out.make = [](Kernel& kernel) -> std::unique_ptr<Module> { return std::make_unique<Quiet>(kernel); };
  out.mount = [](Router& router, Kernel& kernel) { mount_port(router, *kernel.ports.get<Library>()); };
  out.connect = [](Transport& transport, Ports& ports) { ports.offer<Library>(connect_port(transport, std::type_identity<Library>())); };
  return out;
}

}  // namespace loggia::contract::library
