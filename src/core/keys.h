// The keys of SET and its kin: all are in memory, bounded by their bytes. Changed only by what
// enacts effects. A key whose time is over is as if it were not there, though it is held until it
// is removed.
//
// Each key has a place by a hash of its name. A walk goes by places, so where it stands is one
// number, which stays right whatever is put and removed meanwhile, and over a restart.
//
// Threading: one owner, the State that it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/key_expiry.h"
#include "core/limits.h"

namespace core {

class Keys {
 public:
  struct Entry {
    std::string value;
    KeyExpiry expiry;
  };

  // The key, or null if it is not there or over.
  const Entry* find(std::string_view name, base::Now now) const;
  // Both also one that is over.
  const Entry* entry(std::string_view name) const;
  bool holds(std::string_view name) const { return entries_.contains(view_of(name)); }
  size_t held() const { return entries_.size(); }
  size_t count(base::Now now) const;
  uint64_t bytes() const { return bytes_; }

  void set_bytes_max(uint64_t bytes) { bytes_max_ = bytes; }
  uint64_t bytes_max() const { return bytes_max_; }
  // What all would count if `name` had a value of this size; nothing if it has room, that is, if
  // that is within the limit or makes the record no larger.
  std::optional<uint64_t> bytes_beyond(std::string_view name, size_t value_bytes) const;

  // Change a key; `name` and `value` may be views of what is held. `remove` of one that is not held
  // does nothing.
  void put(std::string_view name, std::string_view value, KeyExpiry expiry);
  void remove(std::string_view name);
  // As `put`, for what is stored elsewhere already: it does not count as changed.
  void install(std::string_view name, std::string_view value, KeyExpiry expiry);

  // A key that is over, or null. Its name lives until it is removed.
  const std::string* first_over(base::Now now) const;
  // When the next one will be, in engine time as the clocks stand now; never() without one.
  base::EngineTime next_over(base::Now now) const;

  // Visits keys, those that are over too, from the place `cursor` on (0: all), as long as
  // `visit(name, entry)` answers true, and then those that share the last one's place. Returns
  // where to go on, 0 at the end. What is held all along is visited once.
  template <typename Visit>
  uint64_t walk(uint64_t cursor, Visit visit) const {
    auto at = entries_.lower_bound(PlaceView{cursor, {}});
    for (bool more = true; at != entries_.end(); ++at) {
      if (!more && at->first.hash != std::prev(at)->first.hash) return at->first.hash;
      more = visit(std::string_view(at->first.name), at->second) && more;
    }
    return 0;
  }

  // For whoever writes changes elsewhere: from the first call on, the names that were put or
  // removed are kept until they are taken, each once.
  void watch_changes() { watched_ = true; }
  std::vector<std::string> take_changed();

  // --- Taking a group back: see State.
  void begin_group();
  void end_group(bool commit);

 private:
  struct PlaceView {
    uint64_t hash;
    std::string_view name;
  };
  struct Place {
    uint64_t hash;
    std::string name;
  };
  struct ByPlace {
    using is_transparent = void;
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      if (left.hash != right.hash) return left.hash < right.hash;
      return std::string_view(left.name) < std::string_view(right.name);
    }
  };
  struct Timer {
    int64_t ms;
    const Place* place;  // The map's own.
  };
  struct ByTime {
    bool operator()(const Timer& left, const Timer& right) const {
      return left.ms != right.ms ? left.ms < right.ms : ByPlace()(*left.place, *right.place);
    }
  };
  using Timers = std::set<Timer, ByTime>;
  // A key before the group touched it.
  struct Saved {
    std::optional<Entry> entry;
    bool was_changed = false;
  };
  using Entries = std::map<Place, Entry, ByPlace>;

  static PlaceView view_of(std::string_view name);
  static uint64_t bytes_of(size_t name_bytes, size_t value_bytes) {
    return name_bytes + value_bytes + limits::kKeyOverheadBytes;
  }
  void note_change(std::string_view name);
  void erase(Entries::iterator entry);
  Timers* timers_of(const KeyExpiry& expiry);

  Entries entries_;
  Timers engine_timers_;
  Timers wall_timers_;
  uint64_t bytes_ = 0;
  uint64_t bytes_max_ = limits::kKeysBytesMax;
  bool watched_ = false;
  std::set<std::string, std::less<>> changed_;
  std::optional<std::map<std::string, Saved, std::less<>>> group_;
};

}  // namespace core
