// Where the page begins: speaks, fetches what there is, and follows every change.

import { followCalls } from './calls.js';
import { followChat } from './chat.js';
import { followCommands } from './commands.js';
import { change, followComposer, reply, write } from './composer.js';
import { followLinks } from './deeplink.js';
import { followFaults } from './faults.js';
import { followFiles } from './files.js';
import { followAnswers } from './inline.js';
import { followKeyboard } from './keyboard.js';
import { goLive } from './live.js';
import { followPeople } from './people.js';
import { followAddress } from './route.js';
import { followTheme } from './theme.js';
import { followTyping } from './typing.js';
import { speak } from './words.js';

speak(document);
followTheme();
await goLive();
followPeople();
followChat({ reply, edit: change, command: (command) => write(command) });
followKeyboard(write);
followCommands(write);
followComposer();
followFiles();
followAnswers();
followTyping();
followFaults();
followCalls();
followAddress();
followLinks();
