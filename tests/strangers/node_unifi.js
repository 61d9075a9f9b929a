// Logs in with node-unifi, prints what it finds as lines of JSON, and then every roam.
'use strict';

const {Controller} = require('node-unifi');

const [port, username, password] = process.argv.slice(2);
const print = (what, data) => console.log(JSON.stringify([what, data]));

async function main() {
  const controller = new Controller({host: '127.0.0.1', port});
  await controller.login(username, password);
  print('clients', await controller.getClientDevices());
  print('all clients', await controller.getAllUsers());
  print('users', await controller.getUsers());
  print('events', await controller.getEvents());
  print('health', await controller.getHealth());
  controller.on('events.evt_wu_roam', ([event]) => print('roam', event));
  controller.on('client:sync.generic', ([record]) => print('record', record));
  controller.on('ctrl.connect', () => print('connected', null));
  await controller.listen();
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
