//! Looks on while a value is written: is each number finite, which field is it, what is told of it.

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::source::imprint::{Fields, Imprint};

const NOT_FINITE: &str = "a number that is not finite (NaN or infinity) has no place in JSON";
/// More levels of any kind than what JSON can be read of; before the stack ends.
const MOST_NESTED: usize = 500;
/// So deep the fields have names in a complaint.
const MOST_NAMES: usize = 6;
/// The types of `std` whose order is a part of what they hold. Any other list may be a set, and comes
/// in any order.
const ORDERED: [&str; 4] = [
    "alloc::vec::Vec<",
    "[",
    "alloc::collections::vec_deque::VecDeque<",
    "alloc::collections::linked_list::LinkedList<",
];
/// What these point to is written in their stead.
const POINTERS: [&str; 5] =
    ["&", "mut ", "alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<"];

/// Looks on while values are written: that each number is finite, and where it goes.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// An imprint is wanted, which costs most of it all.
    hashing: bool,
    /// Of the value that was written last.
    hash: Cell<u64>,
    /// The type of the value that is written, and how deep it lies.
    kind: Cell<&'static str>,
    nested: Cell<usize>,
    /// The field that is written, and how many names lead to it.
    here: Cell<usize>,
    named: Cell<usize>,
    fields: RefCell<Fields>,
}

impl Watch {
    /// One that takes an imprint.
    pub(super) fn imprinting() -> Self {
        Self { hashing: true, ..Self::default() }
    }

    /// The same value, with this looking on; the writing begins anew.
    pub(super) fn seen<'w, T: Serialize + ?Sized>(
        &'w mut self,
        value: &'w T,
    ) -> impl Serialize + 'w {
        self.nested.set(0);
        self.here.set(Fields::ROOT);
        self.named.set(0);
        Seen { value, watch: self }
    }

    /// The names of the fields that lead to where the writing has ended, if it was by an error.
    pub(super) fn place(&self) -> Vec<&'static str> {
        self.fields.borrow().path(self.here.get())
    }

    /// Takes the imprint away; what follows leaves none.
    pub(super) fn finish(&mut self) -> Imprint {
        let watch = mem::take(self);
        Imprint { hash: watch.hash.get(), fields: watch.fields.into_inner() }
    }

    fn hash_of(&self, value: impl Hash) -> u64 {
        if !self.hashing {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    fn note(&self, value: impl Hash) {
        self.hash.set(self.hash_of(value));
    }

    /// What was written last has this around it.
    fn wrap(&self, around: impl Hash) {
        self.note((around, self.hash.get()));
    }

    /// Goes into a field, and gives the way back.
    fn enter(&self, name: &'static str) -> usize {
        let outer = self.here.get();
        self.named.set(self.named.get() + 1);
        if self.named.get() <= MOST_NAMES {
            self.here.set(self.fields.borrow_mut().enter(outer, name));
        }
        outer
    }

    /// Leaves a field, whose value was written last.
    fn leave(&self, outer: usize) {
        let here = self.here.replace(outer);
        self.named.set(self.named.get().saturating_sub(1));
        if here != outer {
            self.fields.borrow_mut().add(here, self.hash.get());
        }
    }
}

/// Whether the order of a list of this type means something.
fn is_ordered(mut kind: &str) -> bool {
    while let Some(inside) = POINTERS.iter().find_map(|pointer| kind.strip_prefix(pointer)) {
        kind = inside;
    }
    ORDERED.iter().any(|ordered| kind.starts_with(ordered))
}

struct Seen<'w, T: ?Sized> {
    value: &'w T,
    watch: &'w Watch,
}

impl<T: Serialize + ?Sized> Serialize for Seen<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nested = self.watch.nested.get();
        if nested == MOST_NESTED {
            return Err(S::Error::custom("the data is nested too deep"));
        }
        self.watch.nested.set(nested + 1);
        self.watch.kind.set(type_name::<T>());
        let written = self.value.serialize(Watched { inner: serializer, watch: self.watch })?;
        self.watch.nested.set(nested);
        Ok(written)
    }
}

/// A serializer that is looked at.
struct Watched<'w, S> {
    inner: S,
    watch: &'w Watch,
}

impl<'w, S: Serializer> Watched<'w, S> {
    /// The parts that come one by one; `about` is what is told of them first.
    fn parts<C>(
        self,
        about: impl Hash,
        begin: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Parts<'w, C>, S::Error> {
        let (inner, hash) = (begin(self.inner)?, self.watch.hash_of(about));
        Ok(Parts { inner, watch: self.watch, hash, key: 0, ordered: true })
    }
}

macro_rules! plain {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.watch.note((stringify!($type), value));
            self.inner.$method(value)
        }
    )*};
}

macro_rules! float {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            if !value.is_finite() {
                return Err(S::Error::custom(NOT_FINITE));
            }
            self.watch.note((stringify!($type), value.to_bits()));
            self.inner.$method(value)
        }
    )*};
}

impl<'w, S: Serializer> Serializer for Watched<'w, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'w, S::SerializeSeq>;
    type SerializeTuple = Parts<'w, S::SerializeTuple>;
    type SerializeTupleStruct = Parts<'w, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<'w, S::SerializeTupleVariant>;
    type SerializeMap = Parts<'w, S::SerializeMap>;
    type SerializeStruct = Parts<'w, S::SerializeStruct>;
    type SerializeStructVariant = Parts<'w, S::SerializeStructVariant>;

    plain! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
    }

    float! {
        serialize_f32: f32,
        serialize_f64: f64,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.watch.note("none");
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let written = self.inner.serialize_some(&Seen { value, watch: self.watch })?;
        self.watch.wrap("some");
        Ok(written)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.watch.note("unit");
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.watch.note(("unit", name));
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.watch.note(("variant", name, index, variant));
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let seen = Seen { value, watch: self.watch };
        let written = self.inner.serialize_newtype_struct(name, &seen)?;
        self.watch.wrap(name);
        Ok(written)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let seen = Seen { value, watch: self.watch };
        let written = self.inner.serialize_newtype_variant(name, index, variant, &seen)?;
        self.watch.wrap((name, index, variant));
        Ok(written)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let ordered = is_ordered(self.watch.kind.get());
        let parts = self.parts("list", |inner| inner.serialize_seq(length))?;
        Ok(Parts { ordered, ..parts })
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.parts("tuple", |inner| inner.serialize_tuple(length))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.parts(name, |inner| inner.serialize_tuple_struct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.parts((name, index, variant), |inner| {
            inner.serialize_tuple_variant(name, index, variant, length)
        })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let parts = self.parts("map", |inner| inner.serialize_map(length))?;
        Ok(Parts { ordered: false, ..parts })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.parts(name, |inner| inner.serialize_struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.parts((name, index, variant), |inner| {
            inner.serialize_struct_variant(name, index, variant, length)
        })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// The parts of a value, one by one.
struct Parts<'w, C> {
    inner: C,
    watch: &'w Watch,
    hash: u64,
    /// Of the key whose value comes next.
    key: u64,
    ordered: bool,
}

impl<C> Parts<'_, C> {
    /// Adds the part that was written last.
    fn add(&mut self, key: impl Hash) {
        let part = self.watch.hash_of((key, self.watch.hash.get()));
        self.hash = if self.ordered {
            self.watch.hash_of((self.hash, part))
        } else {
            self.hash.wrapping_add(part)
        };
    }

    /// All were written; gives what has to be ended.
    fn finish(self) -> C {
        self.watch.note(self.hash);
        self.inner
    }
}

macro_rules! listed {
    ($($kind:ident: $method:ident,)*) => {$(
        impl<C: $kind> $kind for Parts<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&Seen { value, watch: self.watch })?;
                self.add(());
                Ok(())
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.finish().end()
            }
        }
    )*};
}

listed! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! named {
    ($($kind:ident,)*) => {$(
        impl<C: $kind> $kind for Parts<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                let outer = self.watch.enter(name);
                self.inner.serialize_field(name, &Seen { value, watch: self.watch })?;
                self.watch.leave(outer);
                self.add(name);
                Ok(())
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(name)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.finish().end()
            }
        }
    )*};
}

named! {
    SerializeStruct,
    SerializeStructVariant,
}

impl<C: SerializeMap> SerializeMap for Parts<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&Seen { value: key, watch: self.watch })?;
        self.key = self.watch.hash.get();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Seen { value, watch: self.watch })?;
        self.add(self.key);
        Ok(())
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.finish().end()
    }
}
