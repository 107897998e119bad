/** The chat box: a model, what was said, a field. Nothing of it is kept beyond the tab. Runs in the browser. */
import { ArrowUp, Square, SquarePen } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ListedModel } from "../api/shapes.ts";
import { AliasPicker } from "../connect/alias-picker.tsx";
import { tokens } from "../format.ts";
import { t } from "../words.ts";
import { AnswerView, QuestionView } from "./answer.tsx";
import type { Conversation } from "./turns.ts";
import type { Chat } from "./use-chat.ts";

interface ChatPanelProps {
  readonly chat: Chat;
  /** The list of models has been asked for and answered, whatever the answer. */
  readonly known: boolean;
  readonly models: readonly ListedModel[];
  readonly model: ListedModel | null;
  onPick(alias: string): void;
}

export function ChatPanel({ chat, known, models, model, onPick }: ChatPanelProps) {
  const { conversation, running, stop } = chat;
  useEffect(() => {
    if (!running) return;
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) stop();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [running, stop]);

  // Nothing to chat with is a sentence; while that is not known, the room of the chat is kept.
  const absent = known && model === null && conversation.length === 0;
  return (
    <section aria-labelledby="chat" className={`panel flex min-w-0 flex-col ${absent ? "" : "h-130"}`}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-b px-4 py-2">
        <h2 id="chat" className="font-semibold text-16">
          {t("chat.title")}
        </h2>
        {model === null ? null : (
          <span className="flex min-w-0 flex-1 items-center justify-end gap-2">
            <AliasPicker models={models} alias={model.id} disabled={running} onPick={onPick} />
            {conversation.length === 0 ? null : (
              <button type="button" className="control shrink-0" onClick={chat.clear}>
                <SquarePen size={16} aria-hidden="true" />
                <span className="max-sm:sr-only">{t("chat.clear")}</span>
              </button>
            )}
          </span>
        )}
      </div>
      {absent ? (
        <p className="p-4 text-muted">{t("chat.none")}</p>
      ) : (
        <>
          <Transcript chat={chat} model={model} />
          <Composer chat={chat} model={model} />
        </>
      )}
      <p role="status" className="sr-only">
        {spoken(conversation)}
      </p>
    </section>
  );
}

function Transcript({ chat, model }: { chat: Chat; model: ListedModel | null }) {
  const { conversation, running } = chat;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  // Follows the answer, unless somebody has scrolled up to read.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the conversation is what makes it longer
  useLayoutEffect(() => {
    if (box.current !== null && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [conversation]);
  return (
    <div
      ref={box}
      role="log"
      aria-label={t("chat.transcript")}
      // The pieces of a running answer are not read out one by one; the status below says when it is finished.
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto p-4"
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        atEnd.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
    >
      {conversation.length === 0 ? (
        <Beginning chat={chat} model={model} />
      ) : (
        <ul className="flex flex-col gap-4">
          {conversation.map((turn, index) => {
            if (turn.role === "user") return <QuestionView key={turn.id} question={turn} />;
            const asked = conversation[index - 1];
            const last = index === conversation.length - 1 && !running;
            const again = last && asked?.role === "user" ? () => chat.ask(asked.text, turn.model) : null;
            return <AnswerView key={turn.id} answer={turn} onAgain={again} />;
          })}
        </ul>
      )}
    </div>
  );
}

function Beginning({ chat, model }: { chat: Chat; model: ListedModel | null }) {
  if (model === null) return null;
  return (
    <div className="flex h-full flex-col items-start justify-end gap-3">
      {model.demo === true ? <p className="max-w-[60ch] text-muted">{t("chat.demo.note")}</p> : null}
      <p className="max-w-[60ch] text-muted">{t("chat.empty")}</p>
      <button type="button" className="control" onClick={() => chat.ask(t("chat.suggest"), model.id)}>
        {t("chat.suggest")}
      </button>
    </div>
  );
}

function Composer({ chat, model }: { chat: Chat; model: ListedModel | null }) {
  const [text, setText] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const { running } = chat;
  const sendable = model !== null && !running && text.trim() !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (model === null || !sendable) return;
    chat.ask(text.trim(), model.id);
    setText("");
  };
  const onKey = (event: KeyboardEvent) => {
    // A composing keyboard (Japanese, Chinese …) uses Enter to finish a word.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    form.current?.requestSubmit();
  };
  return (
    <form ref={form} onSubmit={submit} className="border-line border-t p-3">
      <div className="flex items-end gap-2">
        <textarea
          className="field growing min-w-0 flex-1 py-2.5 sm:py-1.5"
          rows={1}
          aria-label={model === null ? t("chat.placeholder") : t("chat.input", { model: model.id })}
          aria-describedby="chat-keys"
          placeholder={t("chat.placeholder")}
          disabled={model === null}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKey}
        />
        {running ? (
          <button type="button" className="control control-primary" onClick={chat.stop}>
            <Square size={14} aria-hidden="true" fill="currentColor" />
            {t("chat.stop")}
            <kbd className="hidden font-mono text-12 sm:inline">{t("chat.stop.key")}</kbd>
          </button>
        ) : (
          <button type="submit" className="control control-primary" disabled={!sendable}>
            <ArrowUp size={16} aria-hidden="true" />
            {t("chat.send")}
          </button>
        )}
      </div>
      <p id="chat-keys" className="mt-1 hidden text-12 text-muted sm:block">
        {t("chat.keys")}
      </p>
    </form>
  );
}

/** What a screen reader hears: beginnings and ends, not every piece. */
function spoken(conversation: Conversation): string {
  const last = conversation.at(-1);
  if (last?.role !== "assistant") return "";
  switch (last.state.type) {
    case "running":
      return t("chat.said.answering");
    case "done":
      return t("chat.said.done", { count: tokens(last.usage?.outputTokens ?? last.pieces) });
    case "stopped":
      return t("chat.said.stopped");
    case "failed":
      return t("chat.said.failed", { message: last.state.message });
  }
}
