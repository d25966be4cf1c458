/**
 * The line discipline for a container without a terminal, where nobody else echoes, erases or ends: Return
 * sends the line, Backspace, Ctrl+W and Ctrl+U erase, Ctrl+D on an empty line is the end of input, Ctrl+C leaves.
 */

export interface LineStep {
	/** For the container. */
	send: string;
	/** For the screen. */
	echo: string;
	end: boolean;
	leave: boolean;
}

const ERASE = '\b \b';
/** As long as the kernel's own line may be. */
const LIMIT = 4095;

export class LineInput {
	#line = '';
	#decoder = new TextDecoder();

	feed(bytes: Uint8Array): LineStep {
		const step: LineStep = {send: '', echo: '', end: false, leave: false};
		for (const character of this.#decoder.decode(bytes, {stream: true})) {
			this.#step(character, step);
			if (step.end || step.leave) break;
		}
		return step;
	}

	#step(character: string, step: LineStep): void {
		switch (character) {
			case '\r':
			case '\n':
				step.send += `${this.#line}\n`;
				step.echo += '\r\n';
				this.#line = '';
				return;
			case '\u0004':
				if (this.#line === '') step.end = true;
				else step.send += this.#line;
				this.#line = '';
				return;
			case '\u0003':
				step.leave = true;
				return;
			case '\u007f':
			case '\b':
				this.#erase(step, 1);
				return;
			case '\u0015':
				this.#erase(step, this.#line.length);
				return;
			case '\u0017':
				this.#erase(step, [.../\S*\s*$/.exec(this.#line)![0]].length);
				return;
			default:
				if (character < ' ' && character !== '\t') return;
				if (this.#line.length >= LIMIT) return;
				this.#line += character;
				step.echo += character;
		}
	}

	#erase(step: LineStep, count: number): void {
		const characters = [...this.#line];
		const gone = Math.min(count, characters.length);
		this.#line = characters.slice(0, characters.length - gone).join('');
		step.echo += ERASE.repeat(gone);
	}
}
