import { keyVaultContract } from '../key-vault.contract.js';
import { MemoryKeyVault } from './memory.key-vault.js';

keyVaultContract('MemoryKeyVault', {
  open: () => new MemoryKeyVault(),
  lacks: { durability: 'memory ends with the process' },
});
