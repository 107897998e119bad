/** Why a target was chosen or left out, as data with words. Rows, `route explain` and the page use the same ones. Pure. */

export type ReasonCode =
  | "only_target"
  | "in_order"
  | "round_robin"
  | "weighted"
  | "least_busy"
  | "lowest_latency"
  | "unmeasured"
  | "lowest_cost"
  | "local_first"
  | "region"
  | "probe"
  | "wakes"
  | "retry"
  | "other_key"
  | "longer_context"
  | "cache_hit"
  | "draft"
  | "escalated"
  | "voter"
  | "tie_breaker"
  | "judge"
  | "condense"
  | "classify"
  | "shadow";

export const reasonWords: Readonly<Record<ReasonCode, string>> = Object.freeze({
  only_target: "the only place that serves this model",
  in_order: "its turn in the route's order",
  round_robin: "its turn in the round",
  weighted: "drawn by weight",
  least_busy: "has the least to do",
  lowest_latency: "answers fastest",
  unmeasured: "not measured yet, so it is tried",
  lowest_cost: "costs least for this request",
  local_first: "nearest: this box first, then its peers, then rented machines",
  region: "in the preferred region",
  probe: "failed before; one request tries whether it is back",
  wakes: "rented, and not on yet",
  retry: "asked again after a failure that may pass",
  other_key: "asked again with another key",
  longer_context: "has a longer context than the one that refused",
  cache_hit: "the very same was asked before",
  draft: "drafts the answer, which is given if it is sure enough",
  escalated: "answers where the draft is not given",
  voter: "one of several whose answers have to agree",
  tie_breaker: "answers where the voters do not agree",
  judge: "says whether an answer is good enough",
  condense: "condenses a long conversation for the one who answers",
  classify: "says which tier the request belongs to",
  shadow: "gets a copy of an answered request, for comparison",
});

export type ExclusionCode =
  | "not_served"
  | "not_able"
  | "cooling_down"
  | "waking"
  | "wrong_capability"
  | "no_tools"
  | "no_images"
  | "no_files"
  | "no_json_schema"
  | "context_too_short"
  | "data_leaves"
  | "not_local"
  | "other_region"
  | "not_by_rule";

export const exclusionWords: Readonly<Record<ExclusionCode, string>> = Object.freeze({
  not_served: "nobody serves it at the moment",
  not_able: "cannot answer now",
  cooling_down: "failed and is left alone for a while",
  waking: "rented and not ready yet; others answer meanwhile",
  wrong_capability: "was not made for this",
  no_tools: "knows no tools",
  no_images: "reads no images",
  no_files: "reads no files",
  no_json_schema: "cannot keep to a JSON schema",
  context_too_short: "its context is too short",
  data_leaves: "the data must not go there",
  not_local: "the route is local only",
  other_region: "outside the route's regions",
  not_by_rule: "the rule that applies uses other groups",
});
