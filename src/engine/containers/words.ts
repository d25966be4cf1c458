/** The two halves of random names: how a boat may be, and what sails, rows or floats. */
export const qualities =
	'able agile airy amber ample azure balmy bold bonny brave breezy brisk bronze calm candid cheery civil clear clever coastal copper coral cosy crisp dapper daring dawn deft dewy dusky eager early easy elfin fair famed fleet fond frank free fresh frosty gentle gilded glad golden grand handy hardy hearty honest humble idle ivory jaunty jolly keen kind level light lively loyal lucid lucky merry mild misty modest neat nimble noble northern opal patient placid plucky polite prime proud quick quiet rapid ready rosy rustic sandy scarlet serene sharp silent silver sleek smart snug sober sound southern spry steady stout sturdy sunny supple swift tidal tidy tranquil trim trusty upbeat vivid warm wary western witty zesty'.split(
		' ',
	);

export const vessels =
	'argosy barge bark brig buoy canoe caravel carrack catboat clipper cog coracle corvette cruiser curragh cutter dhow dinghy dory dredger drifter felucca ferry frigate galleon galley gondola gulet hoy houseboat junk kayak keelboat ketch knarr launch lighter liner longboat lugger merchantman nao narrowboat outrigger packet pilot pinnace pirogue pontoon proa punt raft regatta rowboat sampan schooner scow scull sharpie shallop skiff skipjack sloop smack sternwheeler tartane tender trawler trireme tug umiak vaurien whaler windjammer xebec yacht yawl zulu'.split(
		' ',
	);
