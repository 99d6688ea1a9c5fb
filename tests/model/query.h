// model/query.h
// The query language of WHERE: which jobs a text means.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/view.h"

namespace model {

class Query {
 public:
  // Returns nothing if the text is malformed.
  static std::optional<Query> parse(const std::string& text);

  // Whether every term holds for the job.
  bool holds(const JobView& job, Now now) const;

 private:
  struct Term {
    std::string name;
    std::string value;    // Of state, queue, type and id.
    bool prefix = false;  // The value ended in a star, which is cut off.
    int64_t above = 0;    // Of attempt; of age in milliseconds.
  };

  static std::optional<Term> parse_term(const std::string& text);
  static bool term_holds(const Term& term, const JobView& job, Now now);

  std::vector<Term> terms_;
};

}  // namespace model
