// One frame of `dray top`, as text. Pure: what it shows is what it is given.
#pragma once
#include <string>

#include "cli/snapshot.h"

namespace cli {

struct TopView {
  size_t columns = 0;  // 0: any number.
  size_t lines = 0;    // The same. With too many queues for it, the fullest are shown.
  bool coloured = false;
  std::string server = {};  // Its address, for the first line.
};

// `before` may be null: then there are no rates yet.
std::string top_frame(const Snapshot& now, const Snapshot* before, const TopView& view);

}  // namespace cli
