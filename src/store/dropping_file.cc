#include "store/dropping_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace store {
namespace {

constexpr int kPowerCutExit = 137;  // What a shell makes of SIGKILL.

using Guard = std::lock_guard<std::mutex>;

}  // namespace

DroppingCalls::DroppingCalls(SystemCalls& kernel, const FaultPlan& plan, OnCut on_cut)
    : kernel_(kernel), plan_(plan), on_cut_(on_cut), random_(plan.seed) {}

DroppingCalls::~DroppingCalls() {
  for (const auto& [number, handle] : handles_) {
    if (handle.lock >= 0) kernel_.close(handle.lock);
  }
}

DroppingCalls::PathParts DroppingCalls::split(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  const size_t end = path.find_last_not_of('/', slash);
  return {end == std::string::npos ? "/" : path.substr(0, end + 1), path.substr(slash + 1)};
}

// Counts a call and says what becomes of it.
DroppingCalls::Fate DroppingCalls::next_fate(const char* call) {
  calls_ += 1;
  const bool cut = calls_ == plan_.cut_at;
  const bool fail =
      plan_.fail_at > 0 && (plan_.fail_sticky ? calls_ >= plan_.fail_at : calls_ == plan_.fail_at);
  if (!cut && !fail) return Fate::kGo;
  LOG(kWarning, cut ? "planned power cut" : "planned failure", {"call", call}, {"number", calls_});
  took_effect_ = true;
  return cut ? Fate::kCut : Fate::kFail;
}

int DroppingCalls::failure() const {
  switch (plan_.fail_kind) {
    case FaultKind::kNoSpace:
      return -ENOSPC;
    case FaultKind::kInterrupted:
      return -EINTR;
    case FaultKind::kIoError:
    case FaultKind::kShortWrite:
      return -EIO;
  }
  return -EIO;
}

int DroppingCalls::cut_now() {
  took_effect_ = true;
  stopped_ = true;
  // In an order that a seed repeats.
  std::vector<std::shared_ptr<UnsyncedFile>> files;
  const auto collect = [&files](const std::shared_ptr<UnsyncedFile>& file) {
    const bool known = std::find(files.begin(), files.end(), file) != files.end();
    if (file != nullptr && !known) files.push_back(file);
  };
  for (const auto& [number, handle] : handles_) collect(handle.file);
  for (const auto& [path, names] : directories_) {
    for (const std::string& name : names->list()) collect(names->find(name));
  }
  // Names first: bytes are written through descriptors, whatever the file is called by then.
  for (const DirectoryChange& change : directory_changes_) {
    if (change.removed != nullptr) change.removed->cut(random_);
  }
  for (const auto& [path, names] : directories_) names->cut(random_);
  cut_directories();
  for (const auto& file : files) file->cut(random_);
  files.clear();
  for (auto& [number, handle] : handles_) handle.file.reset();
  if (on_cut_ == OnCut::kExit) ::_exit(kPowerCutExit);
  return -EIO;
}

UnsyncedFile* DroppingCalls::file_of(int file) {
  const auto it = handles_.find(file);
  return it == handles_.end() ? nullptr : it->second.file.get();
}

int DroppingCalls::names_of(const std::string& directory, UnsyncedNames*& names) {
  const auto it = directories_.find(directory);
  if (it != directories_.end()) {
    names = it->second.get();
    return 0;
  }
  if (is_removed(directory)) return -ENOENT;
  auto loaded = std::make_unique<UnsyncedNames>(directory, false);
  if (const int answer = loaded->load(); answer < 0) return answer;
  names = directories_.emplace(directory, std::move(loaded)).first->second.get();
  return 0;
}

int DroppingCalls::open(const std::string& path, Open how) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const PathParts parts = split(path);
  UnsyncedNames* names = nullptr;
  if (const int answer = names_of(parts.directory, names); answer < 0) return answer;
  std::shared_ptr<UnsyncedFile> file = names->find(parts.name);
  if (how == Open::kCreateNew) {
    const Fate fate = next_fate("create");
    if (fate == Fate::kFail) return failure();
    if (file != nullptr) return -EEXIST;
    if (plan_.disk_bytes > 0 && free_bytes() == 0) return -ENOSPC;
    file = names->create(parts.name);
    if (fate == Fate::kCut) return cut_now();
  }
  if (file == nullptr) return -ENOENT;
  handles_[next_handle_].file = std::move(file);
  return next_handle_++;
}

int DroppingCalls::close(int file) {
  const Guard guard(mutex_);
  const auto it = handles_.find(file);
  if (it == handles_.end()) return -EBADF;
  const int lock = it->second.lock;
  handles_.erase(it);
  return lock < 0 ? 0 : kernel_.close(lock);
}

int64_t DroppingCalls::read(int file, std::span<std::byte> into, uint64_t offset) {
  const Guard guard(mutex_);
  UnsyncedFile* const target = file_of(file);
  return target == nullptr ? -EIO : target->read(into, offset);
}

int64_t DroppingCalls::size(int file) {
  const Guard guard(mutex_);
  UnsyncedFile* const target = file_of(file);
  return target == nullptr ? -EIO : target->size();
}

int64_t DroppingCalls::write(int file, std::span<const std::byte> bytes, uint64_t offset) {
  const Guard guard(mutex_);
  UnsyncedFile* const target = file_of(file);
  if (stopped_ || target == nullptr) return -EIO;
  const Fate fate = next_fate("write");
  if (fate == Fate::kFail) return fail_write(*target, bytes, offset);
  if (!has_room(*target, offset + bytes.size())) return -ENOSPC;
  const int64_t put = target->write(bytes, offset);
  return fate == Fate::kCut ? cut_now() : put;
}

int64_t DroppingCalls::fail_write(UnsyncedFile& file, std::span<const std::byte> bytes,
                                  uint64_t offset) {
  const size_t half = (bytes.size() + 1) / 2;
  switch (plan_.fail_kind) {
    case FaultKind::kShortWrite:
      return file.write(bytes.first(half), offset);
    case FaultKind::kIoError: {  // Some of it may be there all the same.
      const int64_t put = file.write(bytes.first(random_.below(bytes.size() + 1)), offset);
      return put < 0 ? put : -EIO;
    }
    case FaultKind::kNoSpace:
    case FaultKind::kInterrupted:
      return failure();
  }
  return -EIO;
}

int DroppingCalls::sync_data(int file) {
  const Guard guard(mutex_);
  UnsyncedFile* const target = file_of(file);
  if (stopped_ || target == nullptr) return -EIO;
  syncs_ += 1;
  const Fate fate = next_fate("sync_data");
  if (fate == Fate::kCut) return cut_now();
  if (fate == Fate::kGo) return target->sync();
  target->fail_sync(random_);
  return failure();
}

int DroppingCalls::allocate(int file, uint64_t size_bytes) {
  const Guard guard(mutex_);
  UnsyncedFile* const target = file_of(file);
  if (stopped_ || target == nullptr) return -EIO;
  const Fate fate = next_fate("allocate");
  if (fate == Fate::kFail) return failure();
  if (!has_room(*target, size_bytes)) return -ENOSPC;
  const auto held_bytes = static_cast<uint64_t>(std::max<int64_t>(target->size(), 0));
  const int done = target->set_size(std::max(held_bytes, size_bytes));
  return fate == Fate::kCut ? cut_now() : done;
}

int DroppingCalls::truncate(int file, uint64_t size_bytes) {
  const Guard guard(mutex_);
  UnsyncedFile* const target = file_of(file);
  if (stopped_ || target == nullptr) return -EIO;
  const Fate fate = next_fate("truncate");
  if (fate == Fate::kFail) return failure();
  const int done = target->set_size(size_bytes);
  return fate == Fate::kCut ? cut_now() : done;
}

int DroppingCalls::rename(const std::string& from, const std::string& to) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const PathParts old_parts = split(from);
  const PathParts new_parts = split(to);
  if (old_parts.directory != new_parts.directory) return -EXDEV;  // The store never does.
  UnsyncedNames* names = nullptr;
  if (const int answer = names_of(old_parts.directory, names); answer < 0) return answer;
  const Fate fate = next_fate("rename");
  if (fate == Fate::kFail) return failure();
  const int done = names->has_directory(old_parts.name)
                       ? rename_directory(*names, from, to)
                       : names->rename(old_parts.name, new_parts.name);
  return fate == Fate::kCut ? cut_now() : done;
}

int DroppingCalls::remove(const std::string& path) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const PathParts parts = split(path);
  UnsyncedNames* names = nullptr;
  if (const int answer = names_of(parts.directory, names); answer < 0) return answer;
  const Fate fate = next_fate("remove");
  if (fate == Fate::kFail) return failure();
  const int done =
      names->has_directory(parts.name) ? remove_directory(*names, path) : names->remove(parts.name);
  return fate == Fate::kCut ? cut_now() : done;
}

int DroppingCalls::make_directory(const std::string& path) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const Fate fate = next_fate("make_directory");
  if (fate == Fate::kFail) return failure();
  const std::string whole = split(path + "/").directory;
  const PathParts parts = split(whole);
  if (is_removed(whole)) settle_directories(parts.directory);
  const int done = kernel_.make_directory(path);
  if (done >= 0) {
    directories_[whole] = std::make_unique<UnsyncedNames>(whole, true);
    const auto parent = directories_.find(parts.directory);
    if (parent != directories_.end()) parent->second->add_directory(parts.name);
  }
  return fate == Fate::kCut ? cut_now() : done;
}

int DroppingCalls::sync_directory(const std::string& path) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const std::string whole = split(path + "/").directory;
  syncs_ += 1;
  const Fate fate = next_fate("sync_directory");
  if (fate == Fate::kCut) return cut_now();
  if (fate == Fate::kFail) return failure();
  for (const auto& [directory, names] : directories_) {
    if (split(directory).directory == whole) names->own_name_synced();
  }
  const auto it = directories_.find(whole);
  if (it == directories_.end()) return 0;
  const int done = it->second->sync();
  if (done >= 0) settle_directories(whole);
  return done;
}

int DroppingCalls::rename_directory(UnsyncedNames& parent, const std::string& from,
                                    const std::string& to) {
  const std::string old_path = split(from + "/").directory;
  const std::string new_path = split(to + "/").directory;
  if (is_removed(new_path)) settle_directories(split(new_path).directory);
  if (const int done = kernel_.rename(old_path, new_path); done < 0) return done;
  std::map<std::string, std::unique_ptr<UnsyncedNames>> kept;
  for (auto& [path, names] : directories_) {
    const bool is_inside = path == old_path || path.starts_with(old_path + "/");
    const std::string now = is_inside ? new_path + path.substr(old_path.size()) : path;
    if (is_inside) names->moved(now);
    kept.emplace(now, std::move(names));
  }
  directories_ = std::move(kept);
  parent.drop_directory(split(old_path).name);
  parent.add_directory(split(new_path).name);
  directory_changes_.push_back({old_path, new_path, nullptr});
  return 0;
}

int DroppingCalls::remove_directory(UnsyncedNames& parent, const std::string& path) {
  const std::string whole = split(path + "/").directory;
  UnsyncedNames* names = nullptr;
  if (const int answer = names_of(whole, names); answer < 0) return answer;
  if (!names->list().empty()) return -ENOTEMPTY;
  auto node = directories_.extract(whole);
  parent.drop_directory(split(whole).name);
  directory_changes_.push_back({whole, "", std::move(node.mapped())});
  return 0;
}

bool DroppingCalls::is_removed(const std::string& directory) const {
  return std::ranges::any_of(directory_changes_, [&](const DirectoryChange& change) {
    return change.to.empty() && change.from == directory;
  });
}

void DroppingCalls::settle_directories(const std::string& parent) {
  std::erase_if(directory_changes_, [&](const DirectoryChange& change) {
    if (split(change.from).directory != parent) return false;
    // All of it: the file of a lock is in no list.
    if (change.to.empty()) std::filesystem::remove_all(change.from);
    return true;
  });
}

// The first changes of them happened, the later ones did not.
void DroppingCalls::cut_directories() {
  const size_t kept = random_.below(directory_changes_.size() + 1);
  for (size_t i = 0; i < kept; ++i) {
    const DirectoryChange& change = directory_changes_[i];
    if (change.to.empty()) std::filesystem::remove_all(change.from);
  }
  for (size_t i = directory_changes_.size(); i > kept; --i) {
    const DirectoryChange& change = directory_changes_[i - 1];
    if (change.to.empty() || !std::filesystem::exists(change.to)) continue;
    std::filesystem::remove_all(change.from);  // What came later under the old name did not happen.
    std::filesystem::rename(change.to, change.from);
  }
  directory_changes_.clear();
}

int DroppingCalls::list(const std::string& path, std::vector<std::string>& names) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  UnsyncedNames* found = nullptr;
  if (const int answer = names_of(split(path + "/").directory, found); answer < 0) return answer;
  names = found->list();
  return 0;
}

int DroppingCalls::volume(const std::string& path, VolumeFacts& facts) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const int answer = kernel_.volume(path, facts);
  if (answer < 0 || plan_.disk_bytes == 0) return answer;
  UnsyncedNames* names = nullptr;
  if (const int loaded = names_of(split(path + "/").directory, names); loaded < 0) return loaded;
  facts.total_bytes = plan_.disk_bytes;
  facts.free_bytes = free_bytes();
  return 0;
}

uint64_t DroppingCalls::free_bytes() {
  uint64_t used = 0;
  for (const auto& [path, names] : directories_) used += names->used_bytes();
  return plan_.disk_bytes - std::min(plan_.disk_bytes, used);
}

bool DroppingCalls::has_room(UnsyncedFile& file, uint64_t size_bytes) {
  if (plan_.disk_bytes == 0) return true;
  const auto held_bytes = static_cast<uint64_t>(std::max<int64_t>(file.size(), 0));
  return size_bytes <= held_bytes || size_bytes - held_bytes <= free_bytes();
}

int DroppingCalls::lock(const std::string& path, int64_t& holder) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const int lock = kernel_.lock(path, holder);
  if (lock < 0) return lock;
  handles_[next_handle_].lock = lock;
  return next_handle_++;
}

int DroppingCalls::lock_shared(const std::string& path, int64_t& holder) {
  const Guard guard(mutex_);
  if (stopped_) return -EIO;
  const int lock = kernel_.lock_shared(path, holder);
  if (lock < 0) return lock;
  handles_[next_handle_].lock = lock;
  return next_handle_++;
}

uint64_t DroppingCalls::calls() const {
  const Guard guard(mutex_);
  return calls_;
}

uint64_t DroppingCalls::syncs() const {
  const Guard guard(mutex_);
  return syncs_;
}

void DroppingCalls::cut() {
  const Guard guard(mutex_);
  if (!stopped_) cut_now();
}

bool DroppingCalls::took_effect() const {
  const Guard guard(mutex_);
  return took_effect_;
}

bool DroppingCalls::stopped() const {
  const Guard guard(mutex_);
  return stopped_;
}

base::Result<std::unique_ptr<SystemCalls>> make_dropping_calls(std::string_view faults) {
  const FaultPlan plan = TRY(parse_fault_plan(faults));
  return std::make_unique<DroppingCalls>(kernel_calls(), plan, DroppingCalls::OnCut::kExit);
}

}  // namespace store
