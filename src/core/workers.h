// The workers heard of lately, by their labels, and what they were told. Nothing of it is stored: a
// restart knows a worker again when it fetches or beats, and has forgotten what it was told.
//
// Threading: one owner, the State that it belongs to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "core/string_map.h"

namespace core {

// What a worker is told in the answer to its next beat. A quiet one is given nothing more.
enum class WorkerOrder : uint8_t { kRun, kQuiet, kStop };
inline constexpr size_t kWorkerOrderCount = 3;
std::string_view worker_order_name(WorkerOrder order);

class Workers {
 public:
  struct Worker {
    std::string name = {};
    WorkerOrder order = WorkerOrder::kRun;
    base::Now heard = {};   // Of its last word.
    std::string info = {};  // As it last told it; may be empty.
  };

  // The worker spoke. Of too many the one goes that was silent for longest.
  struct Heard {
    Worker& worker;
    bool is_new;  // It was not known.
  };
  Heard hear(std::string_view name, base::Now now);
  bool knows(std::string_view name) const { return places_.contains(name); }
  // It said goodbye; those silent for too long. Both return whether one went that was quiet.
  bool forget(std::string_view name);
  bool expire(base::EngineTime now);

  // Returns false if it is not known. What is told to stop stays so.
  bool tell(std::string_view name, WorkerOrder order);
  // Whether it is to be given nothing.
  bool is_quiet(std::string_view name) const;

  // A lease of the worker began (1) or ended (-1), known or not.
  void count_lease(std::string_view name, int by);
  uint64_t leases_of(std::string_view name) const;

  size_t size() const { return by_time_.size(); }
  const std::list<Worker>& all() const { return by_time_; }  // The one heard of last first.

 private:
  using Place = std::list<Worker>::iterator;

  void erase(Place place);

  std::list<Worker> by_time_;
  std::unordered_map<std::string_view, Place> places_;  // Views of the names in the list.
  size_t told_ = 0;                                     // Of them, those that are not to run.
  StringMap<uint64_t> leases_;                          // Some are 0.
};

}  // namespace core
