// What is found by its name: queues, types. Commands that follow one another mostly name the same
// one, and each of them several times: so the one found last is looked at first.
//
// Threading: as State.
#pragma once

#include <string_view>

#include "core/string_map.h"

namespace core {

// `Named` has a `name`, which does not change; it outlives its place here.
template <typename Named>
class NameIndex {
 public:
  // Null if there is none.
  Named* find(std::string_view name) const {
    if (last_ != nullptr && last_->name == name) return last_;
    const auto found = names_.find(name);
    if (found == names_.end()) return nullptr;
    last_ = found->second;
    return last_;
  }
  void add(Named& named) { names_.emplace(named.name, &named); }
  void remove(const Named& named) {
    names_.erase(named.name);
    if (last_ == &named) last_ = nullptr;
  }

 private:
  StringMap<Named*> names_;
  mutable Named* last_ = nullptr;
};

}  // namespace core
