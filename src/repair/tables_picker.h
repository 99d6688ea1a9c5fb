// Takes out of damaged tables what verifies, as effects that make it anew.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "core/effect.h"
#include "repair/salvage.h"
#include "repair/scratch_calls.h"
#include "store/sqlite/sqlite_salvage.h"

namespace repair {

class TablesPicker {
 public:
  // `files` and `account` must outlive this.
  TablesPicker(store::FileSystem& files, const std::string& directory, Account& account);

  // Views live until the visitor returns.
  using EffectVisitor = std::function<base::Status(core::Effect&&, base::Now)>;
  base::Status pick(const EffectVisitor& visit);

  // The frames up to this one are in the tables. 0: that is not known, or there are none.
  uint64_t applied_seq() const { return applied_seq_; }

 private:
  base::Status take_side(std::string_view key, std::string_view value, const EffectVisitor& visit);
  base::Status take_row(core::JobId id, const base::Result<store::JobRow>& row,
                        const EffectVisitor& visit);
  const std::string& name_of(char kind, uint32_t code);

  ScratchCalls calls_;
  store::FileSystem files_;
  store::SqliteSalvage tables_;
  Account& account_;
  uint64_t applied_seq_ = 0;
  base::Now now_;
  std::map<std::pair<char, uint64_t>, std::string> names_;  // Of queues (q) and types (t), by code.
};

}  // namespace repair
