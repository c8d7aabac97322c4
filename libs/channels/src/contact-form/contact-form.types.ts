/** What a form's fields may mean; builders name them differently, `fields` of the account's settings says how. */
export interface ContactFormMeaning {
  name: string;
  email: string;
  phone: string;
  subject: string;
  message: string;
  order: string;
  consent: string;
  submissionId: string;
  page: string;
}
