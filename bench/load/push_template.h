// A whole push request, laid out once; each use patches the mark into a copy.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/args.h"

namespace load {

class PushTemplate {
 public:
  // Requires: `args` occurs in `request`, once.
  PushTemplate(std::string request, std::string_view args)
      : request_(std::move(request)), mark_at_(request_.find(args) + kMarkOffset) {}

  void append(uint64_t mark, std::string& out) const {
    const size_t start = out.size();
    out.append(request_);
    write_mark(mark, out.data() + start + mark_at_);
  }

 private:
  std::string request_;
  size_t mark_at_;
};

}  // namespace load
