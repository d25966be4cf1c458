import type {CheckLine} from '../../engine/api.ts';
import type {CommandAction} from '../face.ts';
import {printable} from '../format/names.ts';
import {formatList, type ListView} from '../format/table.ts';
import {writeOut} from '../output.ts';

const view: ListView = {
	type: '*system.checkContext',
	headings: {Subject: 'SUBJECT', Status: 'STATUS', Message: 'MESSAGE', Advice: 'ADVICE'},
	table: '{{.Status}}\t{{.Subject}}\t{{.Message}}',
	quietField: 'Subject',
};

/** A line for each thing that was looked at, what helps below it, and what it comes to. */
export function checkText(lines: readonly CheckLine[], images = false): string {
	const width = Math.max(0, ...lines.map(({subject}) => subject.length)) + 2;
	const text = lines.flatMap(({subject, status, message, advice}) => [
		`${status.padEnd(6)}${subject.padEnd(width)}${message}`,
		...(advice === undefined ? [] : advice.split('\n').map((part) => `${' '.repeat(6 + width)}→ ${part}`)),
	]);
	const count = (wanted: CheckLine['status']) => lines.filter(({status}) => status === wanted).length;
	const [limits, failures] = [count('warn'), count('fail')];
	const sum = images
		? failures > 0
			? `${failures} ${failures === 1 ? 'thing is' : 'things are'} damaged.`
			: 'All is fine.'
		: failures > 0
			? `${failures} ${failures === 1 ? 'thing keeps' : 'things keep'} containers from running.`
			: limits > 0
				? `Containers run; ${limits} ${limits === 1 ? 'thing limits' : 'things limit'} them.`
				: 'All is fine.';
	return `${text.map(printable).join('\n')}\n\n${sum}\n`;
}

export const check: CommandAction = async ({flags}, open) => {
	const engine = await open();
	const images = flags.bool('images');
	const lines = await (images ? engine.images.verify() : engine.check());
	const format = flags.string('format');
	const rows = lines.map(({subject, status, message, advice = ''}) => ({
		Advice: advice,
		Message: message,
		Status: status,
		Subject: subject,
	}));
	writeOut(format === '' ? checkText(lines, images) : formatList(view, rows, {format}));
	return lines.some(({status}) => status === 'fail') ? 1 : 0;
};
