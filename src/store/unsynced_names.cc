#include "store/unsynced_names.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/assert.h"

namespace store {
namespace {

constexpr std::string_view kHiddenPrefix = ".unsynced-";

}  // namespace

UnsyncedNames::UnsyncedNames(std::string path, bool is_new)
    : path_(std::move(path)), is_new_(is_new) {}

int UnsyncedNames::load() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kHiddenPrefix)) {
      ::unlink(entry.path().c_str());
    } else if (entry.is_regular_file()) {
      auto file = std::make_shared<UnsyncedFile>(UnsyncedFile::existing(real_path(name)));
      // At once: later its real name may be another than the one seen.
      if (const int opened = file->open(); opened < 0) return opened;
      files_.emplace(name, std::move(file));
    } else {
      other_names_.push_back(name);
    }
  }
  return -error.value();
}

std::shared_ptr<UnsyncedFile> UnsyncedNames::find(const std::string& name) const {
  const auto it = files_.find(name);
  return it == files_.end() ? nullptr : it->second;
}

std::shared_ptr<UnsyncedFile> UnsyncedNames::create(const std::string& name) {
  ASSERT(!files_.contains(name), "{} exists", name);
  const std::string hidden = std::string(kHiddenPrefix) + std::to_string(::getpid()) + "-" +
                             std::to_string(hidden_count_++);
  auto file = std::make_shared<UnsyncedFile>(UnsyncedFile::hidden(real_path(hidden)));
  if (file->open() < 0) return nullptr;
  files_.emplace(name, file);
  add({"", name, file});
  return file;
}

int UnsyncedNames::rename(const std::string& from, const std::string& to) {
  const auto it = files_.find(from);
  if (it == files_.end()) return -ENOENT;
  std::shared_ptr<UnsyncedFile> file = it->second;
  files_.erase(it);
  files_[to] = file;
  add({from, to, std::move(file)});
  return 0;
}

int UnsyncedNames::remove(const std::string& name) {
  const auto it = files_.find(name);
  if (it == files_.end()) return -ENOENT;
  add({name, "", it->second});
  files_.erase(it);
  return 0;
}

std::vector<std::string> UnsyncedNames::list() const {
  std::vector<std::string> names = other_names_;
  for (const auto& [name, file] : files_) names.push_back(name);
  return names;
}

bool UnsyncedNames::has_directory(const std::string& name) const {
  return std::find(other_names_.begin(), other_names_.end(), name) != other_names_.end();
}

void UnsyncedNames::add_directory(const std::string& name) {
  if (!has_directory(name)) other_names_.push_back(name);
}

void UnsyncedNames::drop_directory(const std::string& name) {
  std::erase(other_names_, name);
}

void UnsyncedNames::moved(std::string path) {
  path_ = std::move(path);
  for (const auto& [name, file] : files_) file->moved(path_);
  for (const Change& change : changes_) change.file->moved(path_);
}

uint64_t UnsyncedNames::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [name, file] : files_)
    used += static_cast<uint64_t>(std::max<int64_t>(file->size(), 0));
  return used;
}

// Gives the change a group of its own, or joins the groups it touches into its own.
void UnsyncedNames::add(Change change) {
  change.group = changes_.size();
  const auto touches = [&change](const Change& earlier) {
    const auto shares = [&earlier](const std::string& name) {
      return !name.empty() && (name == earlier.from || name == earlier.to);
    };
    return shares(change.from) || shares(change.to);
  };
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (!touches(changes_[i])) continue;
    const size_t joined = changes_[i].group;
    for (Change& other : changes_) {
      if (other.group == joined) other.group = change.group;
    }
  }
  changes_.push_back(std::move(change));
}

int UnsyncedNames::apply(const Change& change) const {
  if (change.from.empty()) return change.file->reveal(real_path(change.to));
  const std::string from = real_path(change.from);
  const int answer = change.to.empty() ? ::unlink(from.c_str())
                                       : std::rename(from.c_str(), real_path(change.to).c_str());
  return answer < 0 ? -errno : 0;
}

int UnsyncedNames::sync() {
  for (const Change& change : changes_) {
    if (const int done = apply(change); done < 0) return done;
  }
  changes_.clear();
  return 0;
}

void UnsyncedNames::cut(base::Random& random) {
  if (is_new_ && random.below(2) == 0) {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    ASSERT(!error, "cannot remove {}", path_);
  } else if (random.below(2) == 0) {
    const size_t kept = random.below(changes_.size() + 1);
    for (size_t i = 0; i < kept; ++i) ASSERT(apply(changes_[i]) == 0, "change {} of {}", i, path_);
  } else {
    std::map<size_t, bool> ended;
    for (const Change& change : changes_) {
      bool& stop = ended[change.group];
      if (!stop) stop = random.below(2) == 0;
      if (!stop) ASSERT(apply(change) == 0, "a change of {}", path_);
    }
  }
  changes_.clear();  // Removes what is hidden still, once no descriptor holds it.
  files_.clear();
}

}  // namespace store
