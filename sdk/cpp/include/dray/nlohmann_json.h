// Args and results as JSON, for every type that nlohmann's library can read and write. Optional: to
// include it, install that library (Debian: nlohmann-json3-dev); nothing else of Dray needs it.
//
//   struct EmailArgs {
//     std::string to;
//     NLOHMANN_DEFINE_TYPE_INTRUSIVE(EmailArgs, to)
//   };
#pragma once
#include <nlohmann/json.hpp>

#include "dray/codec.h"

namespace dray {

template <typename T>
  requires requires(nlohmann::json json, const T& value) {
    { json.template get<T>() } -> std::same_as<T>;
    json = value;
  }
struct Codec<T> {
  static std::string encode(const T& value) { return nlohmann::json(value).dump(); }
  static T decode(std::string_view text) { return nlohmann::json::parse(text).get<T>(); }
};

}  // namespace dray
