/**
 * Which way to serve: a decision tree of six questions and a weighted scoring matrix, after the deployment guide (section 9). Pure.
 * The tree taken to the letter ends at its first answer; here every question is answered, so that a person sees what speaks against it.
 */
import { compare, over, plus, type Ratio, ratio, times, zero } from "./ratio.ts";

export type Way = "own" | "api" | "hybrid";

export interface Situation {
  readonly privacyIsCritical: boolean;
  readonly queriesPerMonth: number;
  readonly months: number;
  readonly quality: "best" | "very-good" | "good-enough";
  readonly expertise: "none" | "some" | "strong";
  readonly budget: "limited" | "invest" | "very-limited";
}

export interface TreeAnswer {
  readonly question: string;
  /** What was answered, in words. */
  readonly answer: string;
  /** Null: the question leaves it open. */
  readonly way: Way | null;
  readonly why: string;
}

export interface Choice {
  readonly way: Way;
  /** The question that decided. */
  readonly decidedBy: string;
  /** Nothing else may overrule it. */
  readonly mandatory: boolean;
  readonly answers: readonly TreeAnswer[];
  /** Answers that point elsewhere. */
  readonly against: number;
}

/** Queries a month below which an API is cheaper to begin with, and above which GPUs of one's own are. */
export const volumeBounds = Object.freeze({ low: 10_000, high: 50_000 });
/** Months of a project below which an API is faster to market, and above which GPUs of one's own pay. */
export const timeBounds = Object.freeze({ short: 3, long: 12 });

export function choose(situation: Situation): Choice {
  const answers = [
    privacyAnswer(situation),
    volumeAnswer(situation),
    timeAnswer(situation),
    qualityAnswer(situation),
    expertiseAnswer(situation),
    budgetAnswer(situation),
  ];
  const decisive = answers.find(({ way }) => way !== null);
  const way = decisive?.way ?? "hybrid";
  return {
    way,
    decidedBy: decisive?.question ?? "none of them",
    mandatory: situation.privacyIsCritical,
    answers,
    against: answers.filter((one) => one.way !== null && one.way !== way).length,
  };
}

function privacyAnswer({ privacyIsCritical }: Situation): TreeAnswer {
  const question = "Is data privacy critical?";
  return privacyIsCritical
    ? { question, answer: "yes", way: "own", why: "the data must not leave" }
    : { question, answer: "no", way: null, why: "any place may see it" };
}

function volumeAnswer({ queriesPerMonth }: Situation): TreeAnswer {
  const question = "Queries a month?";
  const answer = String(Math.round(queriesPerMonth));
  if (queriesPerMonth < volumeBounds.low)
    return { question, answer, way: "api", why: "below 10,000: costs least to begin" };
  if (queriesPerMonth > volumeBounds.high)
    return { question, answer, way: "own", why: "above 50,000: fixed costs spread" };
  return { question, answer, way: null, why: "10,000 to 50,000: compare both (lanthorn plan)" };
}

function timeAnswer({ months }: Situation): TreeAnswer {
  const question = "How long?";
  const answer = `${months} months`;
  if (months < timeBounds.short) return { question, answer, way: "api", why: "below 3 months: nothing to set up" };
  if (months > timeBounds.long) return { question, answer, way: "own", why: "above 12 months: what is bought is used" };
  return { question, answer, way: "hybrid", why: "3 to 12 months: begin with an API, then move" };
}

function qualityAnswer({ quality }: Situation): TreeAnswer {
  const question = "Which quality?";
  if (quality === "best") return { question, answer: quality, way: "api", why: "the largest models are hosted" };
  if (quality === "very-good")
    return { question, answer: quality, way: "own", why: "open models of 7B to 70B come close" };
  return { question, answer: quality, way: "api", why: "small hosted models cost least" };
}

function expertiseAnswer({ expertise }: Situation): TreeAnswer {
  const question = "Who runs it?";
  if (expertise === "none") return { question, answer: expertise, way: "api", why: "nobody has done it before" };
  if (expertise === "some") return { question, answer: expertise, way: "hybrid", why: "some have" };
  return { question, answer: expertise, way: "own", why: "a team that can" };
}

function budgetAnswer({ budget }: Situation): TreeAnswer {
  const question = "Which budget?";
  if (budget === "invest") return { question, answer: budget, way: "own", why: "paid once, saved later" };
  const why = budget === "limited" ? "paid as it is used" : "small hosted models, or the smallest of one's own";
  return { question, answer: budget, way: "api", why };
}

/** How each way does in a factor, 1 to 5; the guide's matrix. */
export const factors = Object.freeze({
  privacy: { title: "data privacy", own: 5, api: 1 },
  upfront: { title: "upfront budget", own: 1, api: 5 },
  quality: { title: "quality needs", own: 3, api: 5 },
  scale: { title: "scale (users)", own: 5, api: 2 },
  expertise: { title: "team expertise", own: 2, api: 5 },
  time: { title: "time to market", own: 2, api: 5 },
  longTerm: { title: "long-term cost", own: 5, api: 2 },
  customization: { title: "customization", own: 5, api: 2 },
});

export type FactorName = keyof typeof factors;
export const factorNames: readonly FactorName[] = Object.freeze(Object.keys(factors) as FactorName[]);
/** Any numbers of zero or more; only their proportion counts. */
export type Weights = Readonly<Partial<Record<FactorName, number>>>;

export interface Scored {
  /** 1 to 5, as exact fractions. */
  readonly own: Ratio;
  readonly api: Ratio;
  /** Null: both the same. */
  readonly way: "own" | "api" | null;
  readonly rows: readonly {
    readonly name: FactorName;
    readonly weightPercent: Ratio;
    readonly own: number;
    readonly api: number;
  }[];
}

/** Without any weight every factor weighs the same. */
export function scored(weights: Weights): Scored {
  const given = factorNames.map((name) => ratio(weights[name] ?? 0));
  const isEmpty = given.every((weight) => compare(weight, zero) === 0);
  const used = isEmpty ? factorNames.map(() => ratio(1)) : given;
  const sum = plus(...used);
  const rows = factorNames.map((name, index) => {
    const weightPercent = over(times(used[index] ?? zero, ratio(100)), sum);
    return { name, weightPercent, own: factors[name].own, api: factors[name].api };
  });
  const scoreOf = (way: "own" | "api") => plus(...rows.map((row) => times(row.weightPercent, ratio(row[way], 100))));
  const [own, api] = [scoreOf("own"), scoreOf("api")];
  const difference = compare(own, api);
  return { own, api, way: difference === 0 ? null : difference > 0 ? "own" : "api", rows };
}
