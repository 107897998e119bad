/** One turn of the chat as people see it. Model output is text, never markup. Runs in the browser. */
import { TriangleAlert } from "lucide-react";
import { Command, Copy } from "../connect/copy.tsx";
import { useMonotonicNow } from "../use-now.ts";
import { t } from "../words.ts";
import { figures, ranOnThisBox } from "./figures.ts";
import type { Answer, Question } from "./turns.ts";

export function QuestionView({ question }: { question: Question }) {
  return (
    <li className="ml-auto max-w-[85%] rounded-panel bg-sunk px-3 py-2">
      <span className="sr-only">{t("chat.you")}: </span>
      <span className="whitespace-pre-wrap wrap-anywhere">{question.text}</span>
    </li>
  );
}

/** `onAgain`: asks the same once more; null where that makes no sense. */
export function AnswerView({ answer, onAgain }: { answer: Answer; onAgain: (() => void) | null }) {
  const running = answer.state.type === "running";
  return (
    <li className="max-w-[72ch]" data-answer={answer.state.type}>
      <span className="sr-only">{answer.model}: </span>
      {answer.reasoning === "" ? null : (
        <details className="mb-2 text-muted" open={answer.text === ""}>
          <summary className="text-13">{t("chat.thinking")}</summary>
          <p className="mt-1 border-line border-l-2 pl-3 whitespace-pre-wrap wrap-anywhere">{answer.reasoning}</p>
        </details>
      )}
      {answer.text === "" ? null : <p className="whitespace-pre-wrap wrap-anywhere">{answer.text}</p>}
      <Ending answer={answer} onAgain={onAgain} />
      {answer.firstAtMs === null && !running ? null : (
        <div className="mt-1 flex min-h-9 items-center gap-1 text-13 text-muted sm:text-12">
          <FigureLine answer={answer} />
          {running || answer.text === "" ? null : <Copy text={answer.text} label={t("chat.copy")} compact />}
        </div>
      )}
    </li>
  );
}

function FigureLine({ answer }: { answer: Answer }) {
  const counting = answer.state.type === "running" && answer.firstAtMs === null;
  const now = useMonotonicNow(100, counting);
  return (
    <p data-figures="">
      {ranOnThisBox(answer) ? (
        <>
          <span className="mr-1.5 inline-block size-2 rounded-[2px] bg-local" aria-hidden="true" />
          {t("chat.local")} ·{" "}
        </>
      ) : null}
      {figures(answer, now).join(" · ")}
    </p>
  );
}

/** How the answer ended, when that needs a word. */
function Ending({ answer, onAgain }: { answer: Answer; onAgain: (() => void) | null }) {
  const { state } = answer;
  if (state.type === "stopped") return <p className="mt-1 text-13 text-muted">{t("chat.stopped")}</p>;
  if (state.type === "done" && answer.finishReason === "length") {
    return <p className="mt-1 text-13 text-muted">{t("chat.length")}</p>;
  }
  if (state.type !== "failed") return null;
  return (
    <div className="mt-1 rounded-control border border-line p-3">
      <p className="flex items-start gap-2">
        <TriangleAlert size={16} className="mt-0.5 shrink-0 text-fault" aria-hidden="true" />
        <span className="min-w-0 wrap-anywhere">{state.message}</span>
      </p>
      {state.requestId === null ? null : (
        <p className="mt-1 text-13 text-muted">
          {t("chat.request", { id: "" })}
          <Command text={state.requestId} />
        </p>
      )}
      {onAgain === null ? null : (
        <button type="button" className="control mt-2" onClick={onAgain}>
          {t("chat.again")}
        </button>
      )}
    </div>
  );
}
