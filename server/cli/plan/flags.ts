/** The options that all of `lanthorn plan` share, made of the table of settings. Runs in the command's process; imports the domain only. */
import { type Command, InvalidArgumentError } from "commander";
import { refusalOf, type SettingName, settingKinds, settingNames } from "../../domain/planner/settings.ts";

/** What was given, under the names commander makes of the options. */
export type PlanFlags = Readonly<Record<string, unknown>> & {
  readonly api?: readonly string[];
  readonly instance?: string;
  readonly localModel: string;
  readonly assumed?: boolean;
  readonly seeds?: boolean;
  readonly disagreements?: boolean;
};

export function withSettings(command: Command): Command {
  for (const name of settingNames) {
    const { option, unit, means, assumed } = settingKinds[name];
    const otherwise = assumed === null ? "left out unless known" : `else ${assumed}`;
    command.option(`${option} <number>`, `${means} (${unit}; ${otherwise})`, reader(name));
  }
  return command;
}

function reader(name: SettingName): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}(\.\d{1,6})?$/u.test(text) ? Number(text) : Number.NaN;
    const refusal = refusalOf(name, value);
    if (refusal !== null) throw new InvalidArgumentError(refusal);
    return value;
  };
}

export function givenSettings(flags: PlanFlags): Partial<Record<SettingName, number>> {
  const given: Partial<Record<SettingName, number>> = {};
  for (const name of settingNames) {
    const value = flags[camelOf(settingKinds[name].option)];
    if (typeof value === "number") given[name] = value;
  }
  return given;
}

/** `--tokens-in` → `tokensIn`, as commander does. */
function camelOf(option: string): string {
  return option.slice(2).replace(/-(\w)/gu, (_, letter: string) => letter.toUpperCase());
}
