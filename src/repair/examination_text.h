// What `dray check` prints.
#pragma once
#include <string>

#include "repair/examine.h"

namespace repair {

std::string text_of(const Examination& found);
std::string json_of(const Examination& found);

}  // namespace repair
