// The names of one directory in the crash build: as the process sees them, and the changes that a
// power cut may still take back.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/unsynced_file.h"

namespace store {

// Threading: one thread at a time. Calls answer >= 0, or -errno.
class UnsyncedNames {
 public:
  // `is_new`: the directory was made by this process, and its own name was not synced.
  UnsyncedNames(std::string path, bool is_new);

  // Reads the real directory. Removes what an earlier process left hidden in it.
  int load();

  // shared_ptr: a file lives as long as a name, a change of names or an open descriptor needs it.
  std::shared_ptr<UnsyncedFile> find(const std::string& name) const;
  std::shared_ptr<UnsyncedFile> create(const std::string& name);
  int rename(const std::string& from, const std::string& to);
  int remove(const std::string& name);
  std::vector<std::string> list() const;
  // Directories in it. What becomes of them at a cut is DroppingCalls' business.
  bool has_directory(const std::string& name) const;
  void add_directory(const std::string& name);
  void drop_directory(const std::string& name);
  // It has another path now.
  void moved(std::string path);
  uint64_t used_bytes() const;

  // Makes all changes real, in their order.
  int sync();
  void own_name_synced() { is_new_ = false; }

  // What a power cut leaves. Changes of one file's names happen in their order; a journalling file
  // system keeps the order of all changes, others only that: both occur.
  void cut(base::Random& random);

 private:
  struct Change {
    std::string from;  // Empty: a new file.
    std::string to;    // Empty: a removal.
    std::shared_ptr<UnsyncedFile> file;
    size_t group = 0;  // Changes that share a name, over others or directly, have one group.
  };

  void add(Change change);
  int apply(const Change& change) const;
  std::string real_path(const std::string& name) const { return path_ + "/" + name; }

  std::string path_;
  bool is_new_;
  std::map<std::string, std::shared_ptr<UnsyncedFile>> files_;
  std::vector<std::string> other_names_;  // Directories and the like.
  std::vector<Change> changes_;
  uint64_t hidden_count_ = 0;
};

}  // namespace store
