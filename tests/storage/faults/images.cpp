// Files from a history.
#include <cstring>
#include "storage/faults/disk.hpp"

namespace loggia::faults {
namespace {

constexpr std::int64_t sector = 512;

void apply(std::string& file, std::int64_t at, std::string_view bytes) {
  const auto from = static_cast<std::size_t>(at);
  if (file.size() < from + bytes.size()) file.resize(from + bytes.size());
  std::memcpy(file.data() + from, bytes.data(), bytes.size());
}
void apply(std::string& file, const Step& step) {
  if (step.kind == Step::Kind::write) apply(file, step.at, step.bytes);
  if (step.kind == Step::Kind::cut) file.resize(static_cast<std::size_t>(step.at));
}

/// Files by inode, and which of their steps wait for a sync.
struct Inodes {
  std::map<int, std::string> durable;
  std::map<int, std::vector<const Step*>> waiting;
  std::vector<const Step*> names;  // makes and erases that wait for a sync of the folder
  std::map<std::string, int> named;

  void name(const Step& step) {
    if (step.kind == Step::Kind::make) named[step.name] = step.file;
    else named.erase(step.name);
  }
  void all_names() {
    for (const auto* step : names) name(*step);
    names.clear();
  }
};

/// What became of writes that no sync confirmed: by sectors, in any mixture.
class Luck {
 public:
  explicit Luck(Chance& chance) : chance_{chance}, kept_{parts[chance() % std::size(parts)]} {}
  void apply_some(std::string& file, const std::vector<const Step*>& steps) {
    for (const auto* step : steps) {
      if (step->kind == Step::Kind::write) write(file, *step);
      else if (kept()) apply(file, *step);
    }
  }
  std::size_t some_of(std::size_t count) { return chance_() % (count + 1); }

 private:
  static constexpr unsigned parts[] = {0, 10, 50, 90, 100};
  bool kept() { return chance_() % 100 < kept_; }
  void write(std::string& file, const Step& step) {
    for (std::size_t from = 0; from < step.bytes.size();) {
      const auto at = step.at + static_cast<std::int64_t>(from);
      const auto size = std::min(static_cast<std::size_t>(sector - at % sector), step.bytes.size() - from);
      if (kept()) {
        auto piece = step.bytes.substr(from, size);
        if (kept_ < 100 && chance_() % 16 == 0)
          for (auto& byte : piece) byte = static_cast<char>(chance_());  // the head was over it when the power went
        apply(file, at, piece);
      }
      from += size;
    }
  }
  Chance& chance_;
  unsigned kept_;
};

}  // namespace

Files in_cache(const History& history, std::size_t count) {
  std::map<int, std::string> content;
  std::map<std::string, int> named;
  for (std::size_t at = 0; at < count; ++at) {
    const auto& step = history[at];
    if (step.kind == Step::Kind::make) named[step.name] = step.file, content[step.file];
    else if (step.kind == Step::Kind::erase) named.erase(step.name);
    else apply(content[step.file], step);
  }
  Files out;
  for (const auto& [name, file] : named) out[name] = content[file];
  return out;
}

Files after_power_cut(const History& history, std::size_t count, Chance& chance) {
  Inodes all;
  Luck luck(chance);
  for (std::size_t at = 0; at < count; ++at) {
    const auto& step = history[at];
    auto& waiting = all.waiting[step.file];
    switch (step.kind) {
      case Step::Kind::make:
      case Step::Kind::erase:
        all.names.push_back(&step);
        if (step.names_too) all.all_names();
        break;
      case Step::Kind::write:
      case Step::Kind::cut:
        waiting.push_back(&step);
        break;
      case Step::Kind::sync:
        for (const auto* one : waiting) apply(all.durable[step.file], *one);
        waiting.clear();
        if (step.names_too) all.all_names();
        break;
      case Step::Kind::failed_sync:
        // The system forgets that these were to be written: no later sync brings what did not arrive now.
        luck.apply_some(all.durable[step.file], waiting);
        waiting.clear();
        break;
    }
  }
  for (const auto& [file, waiting] : all.waiting) luck.apply_some(all.durable[file], waiting);
  const auto known = luck.some_of(all.names.size());
  for (std::size_t at = 0; at < known; ++at) all.name(*all.names[at]);
  Files out;
  for (const auto& [name, file] : all.named) out[name] = all.durable[file];
  return out;
}

History durable(const Files& files) {
  History out;
  int file = 0;
  for (const auto& [name, content] : files) {
    out.push_back({Step::Kind::make, ++file, name});
    if (!content.empty()) out.push_back({Step::Kind::write, file, {}, 0, content});
    out.push_back({Step::Kind::sync, file, {}, 0, {}, true});
  }
  return out;
}

}  // namespace loggia::faults
