/** The part of yargs that help uses; the package has no types of its own. */
declare module 'yargs' {
	interface Parser {
		help(enabled: boolean): Parser;
		version(enabled: boolean): Parser;
		usage(text: string): Parser;
		wrap(columns: number): Parser;
		updateStrings(strings: Record<string, string>): Parser;
		option(name: string, settings: {alias?: string; describe?: string}): Parser;
		group(names: readonly string[], title: string): Parser;
		getHelp(): Promise<string>;
	}
	export default function yargs(argv: readonly string[]): Parser;
}
