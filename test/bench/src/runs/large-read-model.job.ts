import { answer } from '../job.js';
import { writeLargeReadModel } from './large-read-model.js';

answer(writeLargeReadModel);
