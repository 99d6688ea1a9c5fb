// The keys of SET and HSET and their kin, strings and hashes: all are in memory, bounded by their
// bytes. Changed only by what enacts effects. A key whose time is over is as if it were not there,
// though it is held until it is removed.
//
// Each key has a place by a hash of its name. A walk goes by places, so where it stands is one
// number, which stays right whatever is put and removed meanwhile, and over a restart.
//
// Threading: one owner, the State that it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
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
  struct Hash {
    std::map<std::string, std::string, std::less<>> fields;
    uint64_t bytes = 0;  // That they count.
  };
  struct Entry {
    std::string value = {};  // Of a string.
    KeyExpiry expiry = {};
    std::unique_ptr<Hash> hash = {};  // Null: a string.

    // The value of a field; null if it is not there, or this is no hash.
    const std::string* field(std::string_view name) const;
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
  // The same if what is held would count `more` bytes.
  std::optional<uint64_t> bytes_beyond(int64_t more) const;
  // What the key counts, also if it is over; 0 if it is not held.
  uint64_t bytes_held(std::string_view name) const;
  // What a key counts whose value has this size, and what a field does.
  static uint64_t bytes_of(size_t name_bytes, size_t value_bytes) {
    return name_bytes + value_bytes + limits::kKeyOverheadBytes;
  }
  static uint64_t field_bytes(std::string_view field, std::string_view value) {
    return field.size() + value.size() + limits::kHashFieldOverheadBytes;
  }

  // Change a key; the texts may be views of what is held. What is not held is not removed, nor does
  // it get an end. A hash is made with its first field, in the place of a string if there is one,
  // and goes with its last.
  void put(std::string_view name, std::string_view value, KeyExpiry expiry);
  void remove(std::string_view name);
  void put_expiry(std::string_view name, KeyExpiry expiry);
  void put_field(std::string_view name, std::string_view field, std::string_view value);
  void remove_field(std::string_view name, std::string_view field);
  // While it is set, what is put is stored elsewhere already: it does not count as changed.
  void set_installing(bool installing) { installing_ = installing; }

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
  // removed are kept until they are taken, each once; so are fields, behind their key's name. Of a
  // hash, its name stands for its end alone.
  void watch_changes() { watched_ = true; }
  std::vector<std::string> take_changed();
  std::vector<std::pair<std::string, std::string>> take_changed_fields();

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
  // How to take one step of a group back.
  struct Undo {
    enum class What : uint8_t { kEntry, kExpiry, kField };
    What what = What::kEntry;
    std::string name = {};
    std::optional<Entry> entry = {};  // As it was; for kExpiry its end alone.
    std::string field = {};
    std::optional<std::string> value = {};  // Of the field, as it was.
  };
  // What changed and was not taken yet.
  struct Changed {
    std::set<std::string, std::less<>> keys;
    std::set<std::pair<std::string, std::string>> fields;
  };
  struct Group {
    std::vector<Undo> undo;
    Changed changed;
  };
  using Entries = std::map<Place, Entry, ByPlace>;

  static PlaceView view_of(std::string_view name);
  static uint64_t bytes_of(const Place& place, const Entry& entry);
  void note_key(std::string_view name);
  void note_field(std::string_view name, std::string_view field);
  // A key is about to be overwritten or removed: its hash leaves it, for the group that may take
  // that back or for good.
  void before_end(std::string_view name);
  Entries::iterator make(std::string_view name);  // Or finds it.
  void set_value(Entries::iterator entry, std::string_view value);
  void set_expiry(Entries::iterator entry, KeyExpiry expiry);
  void erase(Entries::iterator entry);
  void take_back(Undo&& undo);
  void put_field_at(Entries::iterator entry, std::string_view field, std::string_view value);
  void remove_field_at(Entries::iterator entry, std::string_view field);
  Timers* timers_of(const KeyExpiry& expiry);

  Entries entries_;
  Timers engine_timers_;
  Timers wall_timers_;
  uint64_t bytes_ = 0;
  uint64_t bytes_max_ = limits::kKeysBytesMax;
  bool watched_ = false;
  bool installing_ = false;
  Changed changed_;
  std::optional<Group> group_;
};

}  // namespace core
