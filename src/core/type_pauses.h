// Which types are paused, everywhere or in one queue. What dispatch asks for lies with the types
// and with the queues' ready jobs; this keeps it, and the lists of it.
//
// Threading: one owner, the State that it belongs to.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/queue.h"

namespace core {

class TypePauses {
 public:
  // `queue` null: of all queues. A pause that is there already takes the new reason.
  void pause(TypeName& type, Queue* queue, std::string_view reason);
  void resume(TypeName& type, Queue* queue);

  size_t count() const { return count_; }
  const std::vector<TypeName*>& everywhere() const { return everywhere_; }
  // Why the type is paused in this queue alone; null if it is not.
  static const std::string* reason_in(const Queue& queue, const TypeName& type);

  // Types that were paused or resumed since the last call, each once.
  std::vector<TypeName*> take_changed();

 private:
  void note_changed(TypeName& type);

  size_t count_ = 0;
  std::vector<TypeName*> everywhere_;  // In the order in which they were paused.
  std::vector<TypeName*> changed_;
};

}  // namespace core
