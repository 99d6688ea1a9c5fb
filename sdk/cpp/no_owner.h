// For tests of a lease without a worker.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sdk/cpp/held.h"

namespace dray::detail {

class NoOwner final : public HeldOwner {
 public:
  void report_progress(const std::shared_ptr<Held>&, std::string) override {}
  void report_log(const std::shared_ptr<Held>&, LogLevel, std::string) override {}
  std::vector<Pushed> finish(Held&, Transaction&, std::optional<std::string>) override {
    return {};
  }
  Client& client() override { throw Error(ErrorCode::kInternal, "there is none"); }
};

}  // namespace dray::detail
