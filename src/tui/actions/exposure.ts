/** All ports of all containers, with from where each is reached, the widest first. */
import {networkInterfaces} from 'node:os';
import {textField} from '../input/text-field.ts';
import {containerName} from '../panes/containers.ts';
import {exposureRows, type HostAddress, type Reach} from '../panes/exposure.ts';
import {focusPane, setList} from '../store/reducers.ts';
import {fitCells} from '../text/width.ts';
import {type ActionContext, openDialog, remember, showMessage} from './context.ts';

const SIGNS: Record<Reach, string> = {public: '!!', lan: '! ', machine: '✓ ', networks: '· ', itself: '  '};

function hostAddresses(): HostAddress[] {
	return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
		(list ?? []).map(({address, family, internal}) => ({interface: name, address, family, internal})),
	);
}

export function showExposure(
	context: ActionContext,
	addresses: readonly HostAddress[] = hostAddresses(),
): void {
	const {containers, networks} = context.store.state;
	const rows = exposureRows(containers.values(), networks, addresses);
	if (rows.length === 0) {
		showMessage(context, {tone: 'info', text: 'No running container has a port that anybody could reach.'});
		return;
	}
	remember(context, 'ps', '--format', 'table {{.Names}}\t{{.Ports}}');
	const widest = (text: (row: (typeof rows)[number]) => string, most: number): number =>
		Math.min(most, Math.max(...rows.map((row) => text(row).length)));
	const names = widest(({container}) => containerName(container), 20);
	const places = widest(({at}) => at, 24);
	openDialog(context, {
		kind: 'pick',
		title: 'Exposure: which port is reached from where',
		items: rows.map(({container, at, inside, reach, text}, index) => ({
			id: `${index} ${container.Id}`,
			label: `${SIGNS[reach]} ${fitCells(containerName(container), names)}  ${fitCells(at, places)}  ${inside}`,
			note: text,
		})),
		filter: textField(),
		index: 0,
		submit: 'goes to the container',
		onPick: (id) => {
			const selected = id.split(' ')[1]!;
			context.store.update((state) => ({
				...focusPane(setList(state, 'containers', {selected, filter: ''}), 'containers'),
				hideStopped: false,
			}));
		},
	});
}
