// The checksums that tables keep with each row. Args have one of their own, because a row can be
// written and read without them; the row's covers that one too, so it stands for all.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/tables.h"

namespace store {

uint32_t args_check(core::JobId id, std::string_view args);
uint32_t row_check(const JobHeader& header, std::string_view record, uint32_t args_check);
uint32_t side_check(std::string_view key, std::string_view value);

}  // namespace store
