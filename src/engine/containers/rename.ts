/** Another name for a container, also while it runs: the monitor reads the name for its events anew. */
import {WherryError} from '../errors.ts';
import {writeZoneEntries} from '../networks/names.ts';
import {readNetworkState} from '../networks/state.ts';
import {stopPlan} from './bundle.ts';
import {type EngineContext, emit, namesLock} from './context.ts';
import {checkName, releaseName, reserveName} from './names.ts';
import {currentState, findContainer, isUp, noSuchContainer, readRecord, writeRecord} from './record.ts';
import {writeAttributes, writeStopPlan} from './run-files.ts';

export async function renameContainer(
	context: EngineContext,
	container: string,
	newName: string,
): Promise<void> {
	const {paths, locks} = context;
	const {Id} = findContainer(paths, container);
	if (newName === '') throw new WherryError('invalid', 'Neither old nor new names may be empty');
	const name = newNameOf(() => checkName(newName.startsWith('/') ? newName : `/${newName}`));
	await locks.with(Id, () =>
		locks.with(namesLock, () => {
			const record = readRecord(paths, Id);
			if (!record) throw noSuchContainer(container);
			const old = record.Name;
			if (old === name) {
				throw new WherryError('invalid', 'Renaming a container with the same name as its current name', {
					object: name,
				});
			}
			newNameOf(() => reserveName(paths, name, Id));
			try {
				record.Name = name;
				writeRecord(paths, record);
			} catch (error) {
				releaseName(paths, name, Id);
				throw error;
			}
			// The plan that removes a --rm container names its name; the old one may soon be another's.
			if (record.HostConfig.AutoRemove) writeStopPlan(paths, Id, stopPlan(paths, record));
			releaseName(paths, old, Id);
			// The others on its networks find it by the new name.
			if (isUp(currentState(paths, Id)))
				writeZoneEntries(paths, record, readNetworkState(paths, Id).endpoints);
			writeAttributes(paths, record);
			emit(context, record, 'rename', {oldName: `/${old}`});
		}),
	);
}

/** docker says what it was doing. */
function newNameOf<T>(action: () => T): T {
	try {
		return action();
	} catch (error) {
		if (!(error instanceof WherryError)) throw error;
		throw new WherryError(error.code, `Error when allocating new name: ${error.message}`, {
			object: error.object,
			cause: error,
		});
	}
}
