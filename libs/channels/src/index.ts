export * from './channel-adapter.port.js';
export * from './accounts/account-directory.port.js';
export * from './intake/park-delivery.port.js';
