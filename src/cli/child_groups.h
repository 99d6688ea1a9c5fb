// The process groups of the children that run, for a signal handler that has no time left.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <initializer_list>

namespace cli {

inline constexpr size_t kChildGroupsMax = 1'000;

// Notes a group, until it is forgotten or this goes: its number must not become another's before.
// Beyond kChildGroupsMax at a time a group is not noted.
// Threading: each is made and destroyed by one thread; any number of them at the same time.
class ChildGroup {
 public:
  ChildGroup() = default;
  ~ChildGroup() { forget(); }
  ChildGroup(const ChildGroup&) = delete;
  ChildGroup& operator=(const ChildGroup&) = delete;

  void note(pid_t group);
  void forget();

 private:
  size_t place_ = kChildGroupsMax;
};

// From now on each of these signals that is not ignored kills all noted groups, and then does to
// this process what it does by default.
void kill_children_at(std::initializer_list<int> signals);

}  // namespace cli
